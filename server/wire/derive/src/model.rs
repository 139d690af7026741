//! What the attributes say, checked: the struct as the generators need it.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{
    Data, DeriveInput, Expr, Fields, GenericArgument, GenericParam, Ident, Lifetime, LitInt,
    LitStr, PathArguments, Type,
};

use crate::versions::Versions;

/// Which of the two derives is running.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A whole message, with version ranges of its own.
    Message,
    /// A struct nested in messages.
    Element,
}

/// The struct under derive.
pub(crate) struct Struct {
    pub(crate) name: Ident,
    /// The lifetime of the frame: the struct's own, or a made-up one if it borrows nothing.
    pub(crate) lifetime: Lifetime,
    /// `<'a>` if the struct borrows, else nothing.
    pub(crate) arguments: TokenStream,
    pub(crate) message: MessageAttributes,
    pub(crate) fields: Vec<Field>,
}

/// What `#[wire(...)]` says on the struct. All empty on an element.
#[derive(Default)]
pub(crate) struct MessageAttributes {
    pub(crate) versions: (i16, i16),
    pub(crate) flexible_from: Option<i16>,
    role: Option<Role>,
}

enum Role {
    Request(Ident),
    Response(Ident),
    Record(i16),
}

/// One field and its attributes.
pub(crate) struct Field {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    /// `Struct.field`, for errors.
    pub(crate) label: String,
    pub(crate) versions: Versions,
    pub(crate) nullable: Option<Versions>,
    pub(crate) tag: Option<u32>,
    pub(crate) ignorable: bool,
    pub(crate) inflexible: bool,
    default: Option<Expr>,
}

impl Struct {
    pub(crate) fn parse(input: &DeriveInput, kind: Kind) -> syn::Result<Struct> {
        let wrong = |message: &str| Err(syn::Error::new_spanned(&input.ident, message));
        let Data::Struct(data) = &input.data else {
            return wrong("only a struct can be a wire message");
        };
        let named = match &data.fields {
            Fields::Named(named) => named.named.iter().collect::<Vec<_>>(),
            Fields::Unit => Vec::new(),
            Fields::Unnamed(_) => return wrong("a wire message names its fields"),
        };
        let lifetime = match input.generics.params.iter().collect::<Vec<_>>()[..] {
            [] => None,
            [GenericParam::Lifetime(only)] => Some(only.lifetime.clone()),
            _ => return wrong("a wire message takes one lifetime, the frame's, or nothing"),
        };
        let message = MessageAttributes::parse(input, kind)?;
        let fields = named
            .into_iter()
            .map(|field| Field::parse(&input.ident, field))
            .collect::<syn::Result<Vec<_>>>()?;
        let parsed = Struct {
            name: input.ident.clone(),
            arguments: lifetime
                .as_ref()
                .map_or_else(TokenStream::new, |l| quote! { <#l> }),
            lifetime: lifetime.unwrap_or_else(|| Lifetime::new("'wire", Span::call_site())),
            message,
            fields,
        };
        parsed.check_tags()?;
        Ok(parsed)
    }

    /// The generics of an impl that needs no frame lifetime besides the struct's own.
    pub(crate) fn own_generics(&self) -> TokenStream {
        self.arguments.clone()
    }

    /// The tagged fields in ascending order of their tags, the order on the wire.
    pub(crate) fn tagged(&self) -> Vec<(u32, &Field)> {
        let mut tagged: Vec<_> = self
            .fields
            .iter()
            .filter_map(|field| Some((field.tag?, field)))
            .collect();
        tagged.sort_by_key(|(tag, _)| *tag);
        tagged
    }

    fn check_tags(&self) -> syn::Result<()> {
        for pair in self.tagged().windows(2) {
            if pair[0].0 == pair[1].0 {
                let message = format!("tag {} is taken by `{}`", pair[1].0, pair[0].1.name);
                return Err(syn::Error::new_spanned(&pair[1].1.name, message));
            }
        }
        Ok(())
    }
}

impl MessageAttributes {
    fn parse(input: &DeriveInput, kind: Kind) -> syn::Result<MessageAttributes> {
        let mut versions = None;
        let mut flexible = None;
        let mut role = None;
        for attribute in input.attrs.iter().filter(|a| a.path().is_ident("wire")) {
            if kind == Kind::Element {
                let message = "a nested struct takes no attribute: its message has the versions";
                return Err(syn::Error::new_spanned(attribute, message));
            }
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("versions") {
                    versions = Some(Versions::parse(&meta.value()?.parse::<LitStr>()?)?);
                } else if meta.path.is_ident("flexible") {
                    flexible = Some(Versions::parse(&meta.value()?.parse::<LitStr>()?)?);
                } else if meta.path.is_ident("request") {
                    role = Some(Role::Request(meta.value()?.parse()?));
                } else if meta.path.is_ident("response") {
                    role = Some(Role::Response(meta.value()?.parse()?));
                } else if meta.path.is_ident("record") {
                    role = Some(Role::Record(
                        meta.value()?.parse::<LitInt>()?.base10_parse()?,
                    ));
                } else {
                    return Err(meta.error(
                        "a message knows `versions`, `flexible`, `request`, `response`, `record`",
                    ));
                }
                Ok(())
            })?;
        }
        if kind == Kind::Element {
            return Ok(MessageAttributes::default());
        }
        let wrong = |message: &str| syn::Error::new_spanned(&input.ident, message);
        let versions =
            versions.ok_or_else(|| wrong("a message states its versions: versions = \"0-2\""))?;
        let last = versions
            .last
            .ok_or_else(|| wrong("a message's versions have an end"))?;
        if flexible.is_some_and(|flexible| flexible.last.is_some()) {
            return Err(wrong(
                "once flexible, a message stays so: flexible = \"2+\"",
            ));
        }
        Ok(MessageAttributes {
            versions: (versions.first, last),
            flexible_from: flexible.map(|flexible| flexible.first),
            role,
        })
    }

    /// The impl of the trait that says what the message is for.
    pub(crate) fn role_impl(
        &self,
        name: &Ident,
        arguments: &TokenStream,
        lifetime: &Lifetime,
    ) -> TokenStream {
        let (role, constant) = match &self.role {
            None => return TokenStream::new(),
            Some(Role::Request(key)) => (
                quote! { Request },
                quote! { API_KEY: crate::ApiKey = crate::ApiKey::#key },
            ),
            Some(Role::Response(key)) => (
                quote! { Response },
                quote! { API_KEY: crate::ApiKey = crate::ApiKey::#key },
            ),
            Some(Role::Record(number)) => {
                (quote! { Record }, quote! { RECORD_TYPE: i16 = #number })
            }
        };
        quote! {
            #[automatically_derived]
            impl<#lifetime> crate::#role<#lifetime> for #name #arguments {
                const #constant;
            }
        }
    }
}

impl Field {
    fn parse(owner: &Ident, field: &syn::Field) -> syn::Result<Field> {
        let name = field.ident.clone().expect("fields are named");
        let mut parsed = Field {
            label: format!("{owner}.{}", name.to_string().trim_start_matches("r#")),
            name,
            ty: field.ty.clone(),
            versions: Versions::ALL,
            nullable: None,
            tag: None,
            ignorable: false,
            inflexible: false,
            default: None,
        };
        for attribute in field.attrs.iter().filter(|a| a.path().is_ident("wire")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("versions") {
                    parsed.versions = Versions::parse(&meta.value()?.parse()?)?;
                } else if meta.path.is_ident("nullable") {
                    parsed.nullable = Some(match meta.value() {
                        Ok(value) => Versions::parse(&value.parse()?)?,
                        Err(_) => Versions::ALL,
                    });
                } else if meta.path.is_ident("default") {
                    parsed.default = Some(meta.value()?.parse()?);
                } else if meta.path.is_ident("tag") {
                    parsed.tag = Some(meta.value()?.parse::<LitInt>()?.base10_parse()?);
                } else if meta.path.is_ident("ignorable") {
                    parsed.ignorable = true;
                } else if meta.path.is_ident("inflexible") {
                    parsed.inflexible = true;
                } else {
                    return Err(meta.error(
                        "a field knows `versions`, `nullable`, `default`, `tag`, `ignorable`, \
                         `inflexible`",
                    ));
                }
                Ok(())
            })?;
        }
        parsed.check()?;
        Ok(parsed)
    }

    fn check(&self) -> syn::Result<()> {
        let wrong = |message: &str| Err(syn::Error::new_spanned(&self.ty, message));
        let optional = self.inside_option();
        match (self.nullable, optional) {
            (Some(_), None) => return wrong("a nullable field is an `Option`"),
            (None, Some(_)) => return wrong("an `Option` states where it is `nullable`"),
            _ => {}
        }
        let innermost = optional.unwrap_or(&self.ty);
        if self.tag.is_some() && last_segment(innermost).is_some_and(|name| name == "Records") {
            return wrong("records cannot be tagged: their bytes may be sent from elsewhere");
        }
        if self.tag.is_some() && self.inflexible {
            return wrong("a tagged field is always in flexible form");
        }
        Ok(())
    }

    /// `T` of a field of type `Option<T>`.
    fn inside_option(&self) -> Option<&Type> {
        let Type::Path(path) = &self.ty else {
            return None;
        };
        let segment = path.path.segments.last().filter(|s| s.ident == "Option")?;
        let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
            return None;
        };
        match arguments.args.first() {
            Some(GenericArgument::Type(inner)) => Some(inner),
            _ => None,
        }
    }

    /// The value that stands for 'not there', as an expression of the field's type.
    pub(crate) fn default_value(&self) -> TokenStream {
        match (&self.default, self.nullable) {
            (Some(value), _) => quote! { #value },
            (None, None) => quote! { ::core::default::Default::default() },
            (None, Some(_)) => quote! {
                ::core::option::Option::Some(::core::default::Default::default())
            },
        }
    }

    /// The same with its type spelled out, for comparisons.
    pub(crate) fn is_default(&self) -> TokenStream {
        let (name, ty, value) = (&self.name, &self.ty, self.default_value());
        quote! {{
            let default: #ty = #value;
            self.#name == default
        }}
    }
}

fn last_segment(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    path.path
        .segments
        .last()
        .map(|segment| segment.ident.to_string())
}
