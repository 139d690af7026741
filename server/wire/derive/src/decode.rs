//! Writes `Element::read`: every field in order, then the tagged section.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;

use crate::model::{Field, Struct};

/// The body of `fn read(r, version, flexible) -> Result<Self, DecodeError>`.
pub(crate) fn body(model: &Struct) -> TokenStream {
    let fields = model.fields.iter().map(|field| match field.tag {
        None => untagged(field),
        Some(_) => {
            let (name, ty, default) = (local(field), &field.ty, field.default_value());
            quote! { let mut #name: #ty = #default; }
        }
    });
    let names = model.fields.iter().map(|field| &field.name);
    let locals = model.fields.iter().map(local);
    let section = tagged_section(model);
    quote! {
        #(#fields)*
        #section
        Ok(Self { #(#names: #locals),* })
    }
}

/// The variable for a field's value: no field's name can hide the arguments from the reads.
fn local(field: &Field) -> Ident {
    format_ident!("field_{}", field.name)
}

fn untagged(field: &Field) -> TokenStream {
    let (name, ty, default) = (local(field), &field.ty, field.default_value());
    let read = read_value(field);
    if field.versions.is_all() {
        return quote! { let #name: #ty = #read; };
    }
    let present = field.versions.contains_version();
    quote! { let #name: #ty = if #present { #read } else { #default }; }
}

fn read_value(field: &Field) -> TokenStream {
    let label = &field.label;
    let flexible = if field.inflexible {
        quote! { false }
    } else {
        quote! { flexible }
    };
    let plain = quote! { crate::Element::read(r, version, #flexible) };
    let read = match field.nullable {
        None => plain,
        Some(versions) => {
            let nullable = match field.tag {
                None => quote! { crate::Nullable::read_nullable(r, version, #flexible) },
                Some(_) => quote! { crate::read_nullable_tagged(r, version) },
            };
            if versions.is_all() {
                nullable
            } else {
                let may_be_null = versions.contains_version();
                quote! {
                    if #may_be_null {
                        #nullable
                    } else {
                        #plain.map(::core::option::Option::Some)
                    }
                }
            }
        }
    };
    let read = match field.nullable {
        Some(versions) if !versions.is_all() => quote! { (#read) },
        _ => read,
    };
    quote! { #read.map_err(|error: crate::DecodeError| error.within(#label))? }
}

fn tagged_section(model: &Struct) -> TokenStream {
    let arms = model.tagged().into_iter().map(|(tag, field)| {
        let (name, label, read) = (local(field), &field.label, read_value(field));
        let guard = if field.versions.is_all() {
            TokenStream::new()
        } else {
            let present = field.versions.contains_version();
            quote! { if #present }
        };
        quote! {
            #tag #guard => {
                let r = &mut body;
                #name = #read;
                body.finish().map_err(|error| error.within(#label))?;
            }
        }
    });
    let label = model.name.to_string();
    if model.tagged().is_empty() {
        return quote! {
            if flexible {
                r.skip_tagged_fields().map_err(|error| error.within(#label))?;
            }
        };
    }
    quote! {
        if flexible {
            let mut section = r.tagged_fields().map_err(|error| error.within(#label))?;
            while let Some((tag, mut body)) =
                section.next_field(r).map_err(|error| error.within(#label))?
            {
                match tag {
                    #(#arms)*
                    // A field of a later version or of another vendor: skipped, as KIP-482 asks.
                    _ => {}
                }
            }
        }
    }
}
