//! The derive macros of `logmill-wire`: a struct whose fields carry their version ranges becomes
//! a bounded decoder and an encoder for every version of a Kafka message.
//!
//! - `#[derive(Message)]` on a whole message: implements `Default`, `Element` and `Message`, and
//!   `Request`, `Response` or `Record` where the attribute names one.
//! - `#[derive(Element)]` on a struct nested in messages: implements `Default`, `Element` and
//!   `Nullable`. Whether the encoding is flexible is handed down by the enclosing message.
//!
//! On a message: `#[wire(versions = "3-13", flexible = "9+", request = Produce)]`, with
//! `flexible` left out where no version is, and one of `request = Key`, `response = Key`,
//! `record = 12` or none.
//!
//! On a field, all of it optional:
//!
//! | attribute | meaning | left out |
//! |---|---|---|
//! | `versions = "3+"` | the versions that hold the field: `"3"`, `"3+"`, `"0-2"` | all |
//! | `nullable`, `nullable = "7+"` | where an `Option` may be null | an `Option` needs it |
//! | `default = -1` | the value where a version lacks the field | the type's own, `Some` of it |
//! | `tag = 0` | a tagged field (KIP-482), written only if it is not the default | not tagged |
//! | `ignorable` | a version without the field drops the value silently | encoding is an error |
//! | `inflexible` | never in compact form (the client id of request header 2) | follows message |
//!
//! The terms are those of Kafka's message schemas.

mod decode;
mod encode;
mod model;
mod sample;
mod versions;

use proc_macro::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::model::{Kind, Struct};

/// Derives the codec of a whole message. See the crate's documentation for the attributes.
#[proc_macro_derive(Message, attributes(wire))]
pub fn derive_message(input: TokenStream) -> TokenStream {
    expand_or_error(input, Kind::Message)
}

/// Derives the codec of a struct that is nested in messages.
#[proc_macro_derive(Element, attributes(wire))]
pub fn derive_element(input: TokenStream) -> TokenStream {
    expand_or_error(input, Kind::Element)
}

fn expand_or_error(input: TokenStream, kind: Kind) -> TokenStream {
    let input = syn::parse_macro_input!(input as DeriveInput);
    expand(&input, kind)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

fn expand(input: &DeriveInput, kind: Kind) -> syn::Result<proc_macro2::TokenStream> {
    let model = Struct::parse(input, kind)?;
    let default = default_impl(&model);
    let element = element_impl(&model);
    let role = match kind {
        Kind::Message => message_impl(&model),
        Kind::Element => nullable_impl(&model),
    };
    let sample = sample::sample_impl(&model);
    Ok(quote! { #default #element #role #sample })
}

fn default_impl(model: &Struct) -> proc_macro2::TokenStream {
    let (name, arguments) = (&model.name, &model.arguments);
    let generics = model.own_generics();
    let fields = model.fields.iter().map(|field| {
        let (name, default) = (&field.name, field.default_value());
        quote! { #name: #default }
    });
    quote! {
        impl #generics ::core::default::Default for #name #arguments {
            fn default() -> Self {
                Self { #(#fields),* }
            }
        }
    }
}

fn element_impl(model: &Struct) -> proc_macro2::TokenStream {
    let (name, arguments, lifetime) = (&model.name, &model.arguments, &model.lifetime);
    let read = decode::body(model);
    let write = encode::body(model);
    quote! {
        #[automatically_derived]
        impl<#lifetime> crate::Element<#lifetime> for #name #arguments {
            #[allow(unused_variables, unused_mut, clippy::too_many_lines)]
            fn read(
                r: &mut crate::Reader<#lifetime>,
                version: i16,
                flexible: bool,
            ) -> ::core::result::Result<Self, crate::DecodeError> {
                #read
            }

            #[allow(unused_variables, clippy::too_many_lines)]
            fn write(
                &self,
                w: &mut crate::Writer,
                version: i16,
                flexible: bool,
            ) -> ::core::result::Result<(), crate::EncodeError> {
                #write
            }
        }
    }
}

fn nullable_impl(model: &Struct) -> proc_macro2::TokenStream {
    let (name, arguments, lifetime) = (&model.name, &model.arguments, &model.lifetime);
    quote! {
        #[automatically_derived]
        impl<#lifetime> crate::Nullable<#lifetime> for #name #arguments {
            const FORM: crate::NullForm = crate::NullForm::Struct;

            fn read_nullable(
                r: &mut crate::Reader<#lifetime>,
                version: i16,
                flexible: bool,
            ) -> ::core::result::Result<::core::option::Option<Self>, crate::DecodeError> {
                if r.i8()? < 0 {
                    return Ok(None);
                }
                crate::Element::read(r, version, flexible).map(Some)
            }
        }
    }
}

fn message_impl(model: &Struct) -> proc_macro2::TokenStream {
    let (name, arguments, lifetime) = (&model.name, &model.arguments, &model.lifetime);
    let (first, last) = model.message.versions;
    let flexible_from = match model.message.flexible_from {
        Some(version) => quote! { ::core::option::Option::Some(#version) },
        None => quote! { ::core::option::Option::None },
    };
    let label = name.to_string();
    let role = model.message.role_impl(name, arguments, lifetime);
    quote! {
        #[automatically_derived]
        impl<#lifetime> crate::Message<#lifetime> for #name #arguments {
            const NAME: &'static str = #label;
            const VERSIONS: ::core::ops::RangeInclusive<i16> =
                ::core::ops::RangeInclusive::new(#first, #last);
            const FLEXIBLE_FROM: ::core::option::Option<i16> = #flexible_from;
        }
        #role
    }
}

#[cfg(test)]
mod tests;
