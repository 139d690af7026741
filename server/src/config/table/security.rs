//! TLS and SASL.
//!
//! Names, types, defaults and bounds are those of Apache Kafka 4.1.1.

use super::why;
use crate::config::key::{Key, boolean, class, double, int, list, long, password, short, string};

/// One row a key, in the order of Kafka's own areas.
pub const KEYS: &[Key] = &[
    string("security.providers", None).inert(why::TLS, "Classes of security providers."),
    class("sasl.client.callback.handler.class", None)
        .inert(why::SASL, "Class that answers a SASL client's questions."),
    list("sasl.enabled.mechanisms", Some("GSSAPI"))
        .per_broker()
        .inert(why::SASL, "SASL mechanisms offered."),
    password("sasl.jaas.config", None)
        .per_broker()
        .inert(why::SASL, "Login settings for SASL."),
    string("sasl.kerberos.kinit.cmd", Some("/usr/bin/kinit"))
        .per_broker()
        .inert(why::SASL, "Path of kinit."),
    long("sasl.kerberos.min.time.before.relogin", Some("60000"))
        .ms()
        .per_broker()
        .inert(why::SASL, "Shortest time between two Kerberos logins."),
    list("sasl.kerberos.principal.to.local.rules", Some("DEFAULT"))
        .per_broker()
        .inert(why::SASL, "Rules that shorten Kerberos principals."),
    string("sasl.kerberos.service.name", None)
        .per_broker()
        .inert(why::SASL, "Kerberos service name."),
    double("sasl.kerberos.ticket.renew.jitter", Some("0.05"))
        .per_broker()
        .inert(why::SASL, "Random share of the Kerberos renewal time."),
    double("sasl.kerberos.ticket.renew.window.factor", Some("0.8"))
        .per_broker()
        .inert(why::SASL, "Share of a ticket's life before it is renewed."),
    class("sasl.login.callback.handler.class", None)
        .inert(why::SASL, "Class that answers a login's questions."),
    class("sasl.login.class", None).inert(why::SASL, "Class that logs in."),
    int("sasl.login.connect.timeout.ms", None).ms().inert(
        why::SASL,
        "How long connecting to an OAuth provider may take.",
    ),
    int("sasl.login.read.timeout.ms", None)
        .ms()
        .inert(why::SASL, "How long an OAuth provider may take to answer."),
    short("sasl.login.refresh.buffer.seconds", Some("300"))
        .unit("s")
        .per_broker()
        .inert(why::SASL, "Time kept free before a credential expires."),
    short("sasl.login.refresh.min.period.seconds", Some("60"))
        .unit("s")
        .per_broker()
        .inert(
            why::SASL,
            "Shortest time between two refreshes of a credential.",
        ),
    double("sasl.login.refresh.window.factor", Some("0.8"))
        .per_broker()
        .inert(
            why::SASL,
            "Share of a credential's life before it is refreshed.",
        ),
    double("sasl.login.refresh.window.jitter", Some("0.05"))
        .per_broker()
        .inert(why::SASL, "Random share of the refresh time."),
    long("sasl.login.retry.backoff.ms", Some("100"))
        .ms()
        .inert(why::SASL, "First pause after a failed OAuth login."),
    long("sasl.login.retry.backoff.max.ms", Some("10000"))
        .ms()
        .inert(why::SASL, "Longest pause after a failed OAuth login."),
    string("sasl.mechanism.controller.protocol", Some("GSSAPI"))
        .inert(why::SASL, "SASL mechanism towards controllers."),
    string("sasl.mechanism.inter.broker.protocol", Some("GSSAPI"))
        .per_broker()
        .inert(why::SASL, "SASL mechanism between brokers."),
    string("sasl.oauthbearer.assertion.algorithm", Some("RS256"))
        .one_of_any_case(&["ES256", "RS256"])
        .inert(why::SASL, "Algorithm that signs an OAuth assertion."),
    string("sasl.oauthbearer.assertion.claim.aud", None)
        .inert(why::SASL, "Audience in an OAuth assertion."),
    int("sasl.oauthbearer.assertion.claim.exp.seconds", Some("300"))
        .between(0, 86_400)
        .unit("s")
        .inert(why::SASL, "Life of an OAuth assertion."),
    string("sasl.oauthbearer.assertion.claim.iss", None)
        .inert(why::SASL, "Issuer in an OAuth assertion."),
    boolean(
        "sasl.oauthbearer.assertion.claim.jti.include",
        Some("false"),
    )
    .inert(why::SASL, "Gives each OAuth assertion an id."),
    int("sasl.oauthbearer.assertion.claim.nbf.seconds", Some("60"))
        .between(0, 3600)
        .unit("s")
        .inert(why::SASL, "How far back an OAuth assertion is valid."),
    string("sasl.oauthbearer.assertion.claim.sub", None)
        .inert(why::SASL, "Subject in an OAuth assertion."),
    string("sasl.oauthbearer.assertion.file", None)
        .inert(why::SASL, "File with a ready OAuth assertion."),
    string("sasl.oauthbearer.assertion.private.key.file", None)
        .inert(why::SASL, "File with the key that signs OAuth assertions."),
    password("sasl.oauthbearer.assertion.private.key.passphrase", None)
        .inert(why::SASL, "Passphrase of that key."),
    string("sasl.oauthbearer.assertion.template.file", None)
        .inert(why::SASL, "File with the outline of an OAuth assertion."),
    string("sasl.oauthbearer.client.credentials.client.id", None)
        .inert(why::SASL, "Client id for OAuth client credentials."),
    password("sasl.oauthbearer.client.credentials.client.secret", None)
        .inert(why::SASL, "Secret for OAuth client credentials."),
    int("sasl.oauthbearer.clock.skew.seconds", Some("30"))
        .unit("s")
        .inert(why::SASL, "Difference of clocks allowed for OAuth tokens."),
    list("sasl.oauthbearer.expected.audience", None)
        .inert(why::SASL, "Audiences that OAuth tokens may name."),
    string("sasl.oauthbearer.expected.issuer", None)
        .inert(why::SASL, "Issuer that OAuth tokens must name."),
    long("sasl.oauthbearer.jwks.endpoint.refresh.ms", Some("3600000"))
        .ms()
        .inert(why::SASL, "How often OAuth keys are fetched."),
    long(
        "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms",
        Some("100"),
    )
    .ms()
    .inert(
        why::SASL,
        "First pause after OAuth keys could not be fetched.",
    ),
    long(
        "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms",
        Some("10000"),
    )
    .ms()
    .inert(
        why::SASL,
        "Longest pause after OAuth keys could not be fetched.",
    ),
    string("sasl.oauthbearer.jwks.endpoint.url", None)
        .inert(why::SASL, "Where OAuth keys are fetched."),
    class(
        "sasl.oauthbearer.jwt.retriever.class",
        Some("org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever"),
    )
    .inert(why::SASL, "Class that gets OAuth tokens."),
    class(
        "sasl.oauthbearer.jwt.validator.class",
        Some("org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator"),
    )
    .inert(why::SASL, "Class that checks OAuth tokens."),
    string("sasl.oauthbearer.scope", None).inert(why::SASL, "Scope asked for OAuth tokens."),
    string("sasl.oauthbearer.scope.claim.name", Some("scope"))
        .inert(why::SASL, "Claim that holds an OAuth token's scope."),
    string("sasl.oauthbearer.sub.claim.name", Some("sub"))
        .inert(why::SASL, "Claim that holds an OAuth token's subject."),
    string("sasl.oauthbearer.token.endpoint.url", None)
        .inert(why::SASL, "Where OAuth tokens are asked for."),
    class("sasl.server.callback.handler.class", None)
        .inert(why::SASL, "Class that answers a SASL server's questions."),
    int("sasl.server.max.receive.size", Some("524288"))
        .bytes()
        .inert(why::SASL, "Largest SASL message taken."),
    boolean("ssl.allow.dn.changes", Some("false"))
        .inert(why::TLS, "Allows a new certificate with another name."),
    boolean("ssl.allow.san.changes", Some("false")).inert(
        why::TLS,
        "Allows a new certificate with other alternative names.",
    ),
    list("ssl.cipher.suites", Some(""))
        .per_broker()
        .inert(why::TLS, "Cipher suites offered."),
    string("ssl.client.auth", Some("none"))
        .one_of(&["required", "requested", "none"])
        .per_broker()
        .inert(why::TLS, "Whether clients must show a certificate."),
    list("ssl.enabled.protocols", Some("TLSv1.2,TLSv1.3"))
        .per_broker()
        .inert(why::TLS, "TLS versions offered."),
    string("ssl.endpoint.identification.algorithm", Some("https"))
        .per_broker()
        .inert(why::TLS, "How a peer's host name is checked."),
    class("ssl.engine.factory.class", None)
        .per_broker()
        .inert(why::TLS, "Class that makes TLS engines."),
    password("ssl.key.password", None)
        .per_broker()
        .inert(why::TLS, "Password of the private key."),
    string("ssl.keymanager.algorithm", Some("SunX509"))
        .per_broker()
        .inert(why::TLS, "Algorithm of the key manager."),
    password("ssl.keystore.certificate.chain", None)
        .per_broker()
        .inert(why::TLS, "Certificate chain, as PEM."),
    password("ssl.keystore.key", None)
        .per_broker()
        .inert(why::TLS, "Private key, as PEM."),
    string("ssl.keystore.location", None)
        .per_broker()
        .inert(why::TLS, "File of the key store."),
    password("ssl.keystore.password", None)
        .per_broker()
        .inert(why::TLS, "Password of the key store."),
    string("ssl.keystore.type", Some("JKS"))
        .per_broker()
        .inert(why::TLS, "Format of the key store."),
    string("ssl.principal.mapping.rules", Some("DEFAULT")).inert(
        why::TLS,
        "Rules that turn certificate names into principals.",
    ),
    string("ssl.protocol", Some("TLSv1.3"))
        .per_broker()
        .inert(why::TLS, "TLS version of the context."),
    string("ssl.provider", None)
        .per_broker()
        .inert(why::TLS, "Security provider for TLS."),
    string("ssl.secure.random.implementation", None)
        .per_broker()
        .inert(why::TLS, "Source of random numbers for TLS."),
    string("ssl.trustmanager.algorithm", Some("PKIX"))
        .per_broker()
        .inert(why::TLS, "Algorithm of the trust manager."),
    password("ssl.truststore.certificates", None)
        .per_broker()
        .inert(why::TLS, "Trusted certificates, as PEM."),
    string("ssl.truststore.location", None)
        .per_broker()
        .inert(why::TLS, "File of the trust store."),
    password("ssl.truststore.password", None)
        .per_broker()
        .inert(why::TLS, "Password of the trust store."),
    string("ssl.truststore.type", Some("JKS"))
        .per_broker()
        .inert(why::TLS, "Format of the trust store."),
];
