//! Attributes that are wrong are refused with a message that helps; what right ones do is tested
//! where they are used.

use quote::quote;

use super::*;

fn error_of(kind: Kind, tokens: proc_macro2::TokenStream) -> String {
    let input = syn::parse2::<DeriveInput>(tokens).expect("the test's struct parses");
    expand(&input, kind)
        .expect_err("it should be refused")
        .to_string()
}

fn message_error(fields: proc_macro2::TokenStream) -> String {
    error_of(
        Kind::Message,
        quote! {
            #[wire(versions = "0-2", flexible = "1+")]
            struct Sample<'a> { #fields }
        },
    )
}

#[test]
fn shapes() {
    let error = error_of(Kind::Element, quote! { enum Sample { A } });
    assert_eq!(error, "only a struct can be a wire message");
    let error = error_of(Kind::Element, quote! { struct Sample(i32); });
    assert_eq!(error, "a wire message names its fields");
    let error = error_of(Kind::Element, quote! { struct Sample<T> { a: T } });
    assert_eq!(
        error,
        "a wire message takes one lifetime, the frame's, or nothing"
    );
}

#[test]
fn struct_attributes() {
    let error = error_of(Kind::Message, quote! { struct Sample { a: i32 } });
    assert_eq!(error, "a message states its versions: versions = \"0-2\"");
    let error = error_of(
        Kind::Message,
        quote! { #[wire(versions = "0+")] struct Sample {} },
    );
    assert_eq!(error, "a message's versions have an end");
    let error = error_of(
        Kind::Message,
        quote! { #[wire(versions = "0-2", flexible = "1-2")] struct Sample {} },
    );
    assert_eq!(
        error,
        "once flexible, a message stays so: flexible = \"2+\""
    );
    let error = error_of(
        Kind::Element,
        quote! { #[wire(versions = "0-2")] struct Sample {} },
    );
    assert_eq!(
        error,
        "a nested struct takes no attribute: its message has the versions"
    );
    let error = error_of(
        Kind::Message,
        quote! { #[wire(version = "0-2")] struct Sample {} },
    );
    assert!(error.starts_with("a message knows `versions`"), "{error}");
}

#[test]
fn version_ranges() {
    for wrong in ["", "x", "-1", "+", "1-", "1 - 2", "40000"] {
        let error = message_error(quote! { #[wire(versions = #wrong)] a: i32 });
        assert!(error.contains("is no version range"), "{wrong}: {error}");
    }
    let error = message_error(quote! { #[wire(versions = "2-1")] a: i32 });
    assert_eq!(error, "the range ends before it starts");
}

#[test]
fn field_attributes() {
    let error = message_error(quote! { #[wire(nullable)] a: i32 });
    assert_eq!(error, "a nullable field is an `Option`");
    let error = message_error(quote! { a: Option<&'a str> });
    assert_eq!(error, "an `Option` states where it is `nullable`");
    let error = message_error(quote! { #[wire(nullable, tag = 0)] a: Option<Records<'a>> });
    assert_eq!(
        error,
        "records cannot be tagged: their bytes may be sent from elsewhere"
    );
    let error = message_error(quote! { #[wire(tag = 0, inflexible)] a: i32 });
    assert_eq!(error, "a tagged field is always in flexible form");
    let error = message_error(quote! { #[wire(tag = 3)] a: i32, #[wire(tag = 3)] b: i32 });
    assert_eq!(error, "tag 3 is taken by `a`");
    let error = message_error(quote! { #[wire(since = 3)] a: i32 });
    assert!(error.starts_with("a field knows `versions`"), "{error}");
}
