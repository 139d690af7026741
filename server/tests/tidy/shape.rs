//! Sizes, names, order: the rules that need no knowledge of rooms.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::source::{Source, Violation, is_test};

/// All rules of this file.
pub fn check(source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    violations.extend(file_length(source));
    violations.extend(columns(source));
    violations.extend(module_doc(source));
    violations.extend(file_name(source));
    violations.extend(tests_apart(source));
    let mut functions = Functions {
        source,
        violations: Vec::new(),
    };
    functions.visit_file(&source.syntax);
    violations.extend(functions.violations);
    violations
}

fn file_length(source: &Source) -> Option<Violation> {
    let lines = source.lines.len();
    (lines > FILE_LINES_MAX).then(|| {
        let message = format!(
            "{lines} lines, {FILE_LINES_MAX} are the most; move a noun with its state into a file \
             of its own"
        );
        source.violation(lines, "file-length", message)
    })
}

/// Lines that cannot be broken are let through: those with an address, and rows inside a literal
/// of several lines (tables, samples), unless the row could be continued with a backslash.
fn columns(source: &Source) -> Vec<Violation> {
    let in_literal = |line: usize, text: &str| {
        let mut literals = source.long_literals();
        !text.ends_with('\\')
            && literals.any(|literal| (literal.start.line..=literal.end.line).contains(&line))
    };
    let mut violations = Vec::new();
    for (index, text) in source.lines.iter().enumerate() {
        let (line, columns) = (index + 1, text.chars().count());
        if columns <= COLUMNS_MAX || text.contains("://") || in_literal(line, text) {
            continue;
        }
        let message = format!(
            "{columns} columns, {COLUMNS_MAX} are the most; run cargo fmt, wrap comments, and \
             continue strings with a backslash"
        );
        violations.push(source.violation(line, "columns", message));
    }
    violations
}

fn module_doc(source: &Source) -> Option<Violation> {
    let is_doc = |attribute: &syn::Attribute| {
        matches!(attribute.style, syn::AttrStyle::Inner(_)) && attribute.path().is_ident("doc")
    };
    (!source.syntax.attrs.iter().any(is_doc)).then(|| {
        let message = "begin the file with //! and one sentence: what it holds, and for whom";
        source.violation(1, "module-doc", message)
    })
}

fn file_name(source: &Source) -> Option<Violation> {
    let banned = source
        .path
        .split('/')
        .map(|part| part.strip_suffix(".rs").unwrap_or(part));
    let banned = banned
        .into_iter()
        .find(|part| NAMES_BANNED.contains(part))?;
    let message = format!("`{banned}` says nothing; name the file by the noun that it holds");
    Some(source.violation(1, "file-name", message))
}

fn tests_apart(source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    for item in &source.syntax.items {
        let syn::Item::Mod(module) = item else {
            continue;
        };
        if module.content.is_none() || !is_test(&module.attrs) {
            continue;
        }
        let (first, last) = (module.mod_token.span.start().line, module.span().end().line);
        let lines = last - first + 1;
        if lines > TEST_LINES_MAX {
            let message = format!(
                "{lines} lines of tests inside, {TEST_LINES_MAX} are the most; move them to a \
                 sibling tests.rs"
            );
            violations.push(source.violation(first, "tests-apart", message));
        }
    }
    violations
}

struct Functions<'a> {
    source: &'a Source,
    violations: Vec<Violation>,
}

impl Functions<'_> {
    fn length(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let first = signature.span().start().line;
        let lines = block.brace_token.span.close().end().line - first + 1;
        if lines > FUNCTION_LINES_MAX {
            let message = format!(
                "`{}` has {lines} lines, {FUNCTION_LINES_MAX} are the most; give its parts names",
                signature.ident
            );
            self.violations
                .push(self.source.violation(first, "function-length", message));
        }
    }

    fn name(&mut self, signature: &syn::Signature) {
        let name = signature.ident.to_string();
        // `get_mut` beside `get` is the standard library's own pair.
        if let Some(noun) = name.strip_prefix("get_").filter(|noun| *noun != "mut") {
            let message = format!("call it `{noun}`: a getter has no `get_`");
            let line = signature.span().start().line;
            self.violations
                .push(self.source.violation(line, "getter-name", message));
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.length(&function.sig, &function.block);
        self.name(&function.sig);
        visit::visit_item_fn(self, function);
    }

    fn visit_item_impl(&mut self, block: &'ast syn::ItemImpl) {
        for item in &block.items {
            if let syn::ImplItem::Fn(function) = item {
                self.length(&function.sig, &function.block);
                // The names of a trait's functions are the trait's.
                if block.trait_.is_none() {
                    self.name(&function.sig);
                }
            }
        }
        visit::visit_item_impl(self, block);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.length(&function.sig, block);
        }
        self.name(&function.sig);
        visit::visit_trait_item_fn(self, function);
    }
}

/// Most files stay under 300.
const FILE_LINES_MAX: usize = 800;

/// From the line of `fn` to the closing brace.
const FUNCTION_LINES_MAX: usize = 70;

const COLUMNS_MAX: usize = 100;

/// Tests longer than this live in a sibling `tests.rs`.
const TEST_LINES_MAX: usize = 80;

const NAMES_BANNED: [&str; 5] = ["util", "utils", "common", "helpers", "misc"];
