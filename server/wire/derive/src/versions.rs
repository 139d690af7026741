//! Version ranges as Kafka's schemas write them: `"3"`, `"3+"`, `"0-2"`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

/// A range of versions, closed below, open or closed above.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Versions {
    pub(crate) first: i16,
    pub(crate) last: Option<i16>,
}

impl Versions {
    pub(crate) const ALL: Versions = Versions {
        first: 0,
        last: None,
    };

    /// Reads the text of an attribute; the error points at it.
    pub(crate) fn parse(text: &LitStr) -> syn::Result<Versions> {
        let wrong = || {
            let message = format!(
                "`{}` is no version range: write \"3\", \"3+\" or \"0-2\"",
                text.value()
            );
            syn::Error::new(text.span(), message)
        };
        let number = |digits: &str| {
            digits
                .parse::<i16>()
                .ok()
                .filter(|n| *n >= 0)
                .ok_or_else(wrong)
        };
        let value = text.value();
        let versions = if let Some(first) = value.strip_suffix('+') {
            Versions {
                first: number(first)?,
                last: None,
            }
        } else if let Some((first, last)) = value.split_once('-') {
            Versions {
                first: number(first)?,
                last: Some(number(last)?),
            }
        } else {
            let only = number(&value)?;
            Versions {
                first: only,
                last: Some(only),
            }
        };
        if versions.last.is_some_and(|last| last < versions.first) {
            return Err(syn::Error::new(
                text.span(),
                "the range ends before it starts",
            ));
        }
        Ok(versions)
    }

    pub(crate) fn is_all(self) -> bool {
        self == Versions::ALL
    }

    /// The test that the variable `version` lies within.
    pub(crate) fn contains_version(self) -> TokenStream {
        match self {
            Versions {
                first: 0,
                last: None,
            } => quote! { true },
            Versions { first, last: None } => quote! { version >= #first },
            Versions {
                first: 0,
                last: Some(last),
            } => quote! { version <= #last },
            Versions {
                first,
                last: Some(last),
            } if first == last => quote! { version == #first },
            Versions {
                first,
                last: Some(last),
            } => quote! { (#first..=#last).contains(&version) },
        }
    }
}
