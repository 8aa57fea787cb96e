//! Signatures: over the archive's bytes, and for one release.

use adf_archive::{ArchiveError, PublicKey, Signed, Wanted};

use crate::craft::app;
use crate::minisign::{Keys, keys, sign};
use crate::passing::pass;

fn wanted(keys: &Keys, signature: &str) -> Wanted {
    let key = PublicKey::from_base64(&keys.public()).expect("a key");
    let release = Some(("web".parse().expect("a name"), "v42".parse().expect("a name")));
    Wanted { signed: Some(Signed::new(key, signature, release).expect("a signature")), ..Wanted::default() }
}

const COMMENT: &str = "adf app=web release=v42 timestamp:1767225600";

#[test]
fn a_signature_that_holds_is_told_with_its_comment() {
    let (keys, archive) = (keys(), app().gz());
    let (result, _) = pass(&archive, &wanted(&keys, &sign(&keys, &archive, COMMENT)));
    assert_eq!(result.expect("signed").signed.as_deref(), Some(COMMENT));
}

#[test]
fn attack_a10_a_flipped_byte_or_another_key_is_never_a_build() {
    let (keys, archive) = (keys(), app().gz());
    let signature = sign(&keys, &archive, COMMENT);
    for at in 0..archive.len() {
        let mut changed = archive.clone();
        changed[at] ^= 1;
        pass(&changed, &wanted(&keys, &signature)).0.expect_err("flipped");
    }
    let error =
        pass(&app().file("web-v1/x", b"").gz(), &wanted(&keys, &signature)).0.expect_err("another archive");
    assert!(
        error.to_string().starts_with("E145 the archive's minisign signature does not hold: "),
        "{error}"
    );
    let stranger = sign(&crate::minisign::keys(), &archive, COMMENT);
    assert!(matches!(pass(&archive, &wanted(&keys, &stranger)).0, Err(ArchiveError::Signature(_))));
}

#[test]
fn attack_a10_a_changed_comment_does_not_hold() {
    let (keys, archive) = (keys(), app().gz());
    let signature = sign(&keys, &archive, "adf app=web release=v41").replace("release=v41", "release=v42");
    assert!(matches!(pass(&archive, &wanted(&keys, &signature)).0, Err(ArchiveError::Signature(_))));
}

#[test]
fn attack_a11_a_signature_of_another_release_is_refused() {
    let (keys, archive) = (keys(), app().gz());
    for comment in [
        "adf app=web release=v41",
        "adf app=shop release=v42",
        "adf app=web",
        "timestamp:1767225600 file:web.tar.gz",
        "adf app=web release=v42 release=v41",
        "adf app=web release=v420",
    ] {
        let error = pass(&archive, &wanted(&keys, &sign(&keys, &archive, comment))).0.expect_err(comment);
        let text = error.to_string();
        assert!(text.starts_with(&format!("E146 the archive is signed as \"{comment}\", ")), "{text}");
        assert!(text.ends_with("sign with: minisign -S -t \"adf app=web release=v42\""), "{text}");
    }
}

#[test]
fn text_that_is_no_signature_is_refused() {
    let key = PublicKey::from_base64(&keys().public()).expect("a key");
    for text in ["", "<html>", "untrusted comment: x\nAAAA\n"] {
        assert!(matches!(Signed::new(key.clone(), text, None), Err(ArchiveError::Signature(_))), "{text}");
    }
}
