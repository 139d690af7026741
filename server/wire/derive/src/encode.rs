//! Writes `Element::write`: every field in order, then the tagged section.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::model::{Field, Struct};

/// The body of `fn write(&self, w, version, flexible) -> Result<(), EncodeError>`.
pub(crate) fn body(model: &Struct) -> TokenStream {
    let fields = model.fields.iter().map(|field| match field.tag {
        None => untagged(field),
        Some(_) => tagged_check(field),
    });
    let section = tagged_section(model);
    quote! {
        #(#fields)*
        #section
        Ok(())
    }
}

fn untagged(field: &Field) -> TokenStream {
    let write = write_value(field);
    if field.versions.is_all() {
        return write;
    }
    let present = field.versions.contains_version();
    match absent_check(field) {
        None => quote! { if #present { #write } },
        Some(check) => quote! { if #present { #write } else { #check } },
    }
}

/// The refusal to lose a value silently at a version that has no room for it.
fn absent_check(field: &Field) -> Option<TokenStream> {
    let (label, is_default) = (&field.label, field.is_default());
    (!field.ignorable).then(|| {
        quote! {
            if !#is_default {
                return Err(crate::EncodeError::not_in_version(#label, version));
            }
        }
    })
}

fn tagged_check(field: &Field) -> TokenStream {
    match absent_check(field) {
        Some(check) if !field.versions.is_all() => {
            let present = field.versions.contains_version();
            quote! { if !(#present) { #check } }
        }
        _ => TokenStream::new(),
    }
}

fn write_value(field: &Field) -> TokenStream {
    let (name, label) = (&field.name, &field.label);
    let flexible = if field.inflexible {
        quote! { false }
    } else {
        quote! { flexible }
    };
    let write = match field.nullable {
        None => quote! { crate::Element::write(&self.#name, w, version, #flexible) },
        Some(versions) => {
            let may_be_null = versions.contains_version();
            match field.tag {
                None => quote! {
                    crate::write_nullable(self.#name.as_ref(), w, version, #flexible, #may_be_null)
                },
                Some(_) => quote! {
                    crate::write_nullable_tagged(self.#name.as_ref(), w, version, #may_be_null)
                },
            }
        }
    };
    quote! { #write.map_err(|error| error.within(#label))?; }
}

fn tagged_section(model: &Struct) -> TokenStream {
    let tagged = model.tagged();
    if tagged.is_empty() {
        return quote! { if flexible { w.unsigned_varint(0); } };
    }
    let wanted: Vec<_> = tagged
        .iter()
        .map(|(tag, _)| format_ident!("has_tag_{tag}"))
        .collect();
    let tests = tagged.iter().zip(&wanted).map(|((_, field), wanted)| {
        let (present, is_default) = (field.versions.contains_version(), field.is_default());
        quote! { let #wanted = #present && !#is_default; }
    });
    let writes = tagged.iter().zip(&wanted).map(|((tag, field), wanted)| {
        let write = write_value(field);
        quote! {
            if #wanted {
                let start = w.begin_tagged_field(#tag);
                #write
                w.end_tagged_field(start);
            }
        }
    });
    quote! {
        if flexible {
            #(#tests)*
            w.unsigned_varint(0 #(+ u32::from(#wanted))*);
            #(#writes)*
        }
    }
}
