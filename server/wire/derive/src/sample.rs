//! Writes `Sample`, for the tests of `logmill-wire`: random values that a version can hold.

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::Struct;

/// Values for the fields that the version has, defaults for the others.
pub(crate) fn sample_impl(model: &Struct) -> TokenStream {
    let (name, arguments, lifetime) = (&model.name, &model.arguments, &model.lifetime);
    let fields = model.fields.iter().map(|field| {
        let (name, default) = (&field.name, field.default_value());
        let present = field.versions.contains_version();
        let value = match field.nullable {
            None => quote! { crate::sample::Sample::sample(rng, version) },
            Some(versions) => {
                let may_be_null = versions.contains_version();
                quote! {
                    if #may_be_null && rng.one_in(4) {
                        None
                    } else {
                        Some(crate::sample::Sample::sample(rng, version))
                    }
                }
            }
        };
        // Tagged fields are left out when they have their default: let that happen as well.
        let usual = if field.tag.is_some() {
            quote! { !rng.one_in(3) }
        } else {
            quote! { true }
        };
        quote! { #name: if #present && #usual { #value } else { #default } }
    });
    quote! {
        #[cfg(test)]
        impl<#lifetime> crate::sample::Sample for #name #arguments {
            #[allow(unused_variables, clippy::nonminimal_bool)]
            fn sample(rng: &mut crate::sample::Rng, version: i16) -> Self {
                Self { #(#fields),* }
            }
        }
    }
}
