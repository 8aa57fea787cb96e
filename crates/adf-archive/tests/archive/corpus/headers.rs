//! Single headers: numbers, magics and checksums that readers take in different ways.

use tar::EntryType;

use super::{Case, tar_refused, tar_through};
use crate::craft::{Tar, app};

const REGULAR: EntryType = EntryType::Regular;

pub(super) fn cases() -> Vec<Case> {
    [sizes(), formats(), sums()].into_iter().flatten().collect()
}

fn sized(field: &[u8; 12], data: &[u8]) -> Tar {
    app().edited("web-v1/x", REGULAR, data, |header| header[124..136].copy_from_slice(field))
}

fn sizes() -> Vec<Case> {
    let strange = "a number";
    let content = [7; 13];
    vec![
        tar_through("size-base-256", sized(b"\x80\0\0\0\0\0\0\0\0\0\0\x0d", &content)),
        tar_through("size-blank-padded", sized(b"         15 ", &content)),
        tar_through("size-twelve-digits", sized(b"000000000015", &content)),
        tar_refused("size-base-256-negative", "size overflow", sized(&[0xff; 12], b"")),
        tar_refused("size-base-256-high-bytes", strange, sized(b"\x80\0\0\x01\0\0\0\0\0\0\0\x0d", &content)),
        tar_refused("size-base-256-sign-bit", strange, sized(b"\x80\0\0\0\x80\0\0\0\0\0\0\x0d", &content)),
        tar_refused("size-base-256-other-mark", strange, sized(b"\x81\0\0\0\0\0\0\0\0\0\0\x0d", &content)),
        tar_refused(
            "size-enormous",
            "E139 the archive ends inside",
            sized(b"\x80\0\0\0\x7f\xff\xff\xff\0\0\0\0", b""),
        ),
        tar_refused("size-negative", strange, sized(b"-0000000015\0", &content)),
        tar_refused("size-with-plus", strange, sized(b"+0000000015\0", &content)),
        tar_refused("size-hexadecimal", strange, sized(b"0x0d\0\0\0\0\0\0\0\0", &content)),
        tar_refused("size-underscore", strange, sized(b"0000000_015\0", &content)),
        tar_refused("size-not-octal", strange, sized(b"00000000019\0", &content)),
        tar_refused("size-garbage-behind-nul", strange, sized(b"0000015\x00777\0", &content)),
        tar_refused("size-nul-in-front", strange, sized(b"\x0000000000015", &content)),
        tar_refused(
            "size-escape-sequence",
            "numeric field was not a number:  [2Jx",
            sized(b"\x1b[2Jx\x1b]0;y\x07\0", b""),
        ),
        tar_refused("size-blank", "not a number", sized(b"            ", b"")),
        tar_refused("size-missing", "not a number", sized(&[0; 12], b"")),
        tar_refused(
            "mode-garbage",
            strange,
            app().edited("web-v1/x", REGULAR, b"", |header| header[100..108].copy_from_slice(b"rw-r--r-")),
        ),
        tar_refused(
            "owner-garbage",
            strange,
            app().edited("web-v1/x", REGULAR, b"", |header| header[108..116].copy_from_slice(b"nobody!!")),
        ),
        tar_refused(
            "time-before-1970",
            strange,
            app().edited("web-v1/x", REGULAR, b"", |header| header[136..148].fill(0xff)),
        ),
    ]
}

fn formats() -> Vec<Case> {
    let magic = |magic: &'static [u8; 8], edit: fn(&mut [u8; 512])| {
        app().edited("web-v1/x", REGULAR, b"x", move |header| {
            header[257..265].copy_from_slice(magic);
            edit(header);
        })
    };
    let other = "fields of another format";
    vec![
        tar_through("format-v7", magic(&[0; 8], |_| {})),
        tar_through("format-ustar", magic(b"ustar\x0000", |_| {})),
        tar_through(
            "format-ustar-prefix",
            magic(b"ustar\x0000", |header| {
                header[..8].copy_from_slice(b"deep/x\0\0");
                header[345..351].copy_from_slice(b"web-v1");
            }),
        ),
        tar_refused("format-unknown-magic", "neither ustar", magic(b"notar\x0000", |_| {})),
        tar_refused("format-unknown-version", "neither ustar", magic(b"ustar\x0001", |_| {})),
        tar_refused("format-v7-with-prefix", other, magic(&[0; 8], |header| header[345] = b'e')),
        tar_refused("format-gnu-with-prefix", other, magic(b"ustar  \0", |header| header[345] = b'e')),
        tar_refused(
            "format-gnu-with-times",
            other,
            magic(b"ustar  \0", |header| header[345..356].fill(b'1')),
        ),
        tar_refused(
            "format-gnu-sparse-map",
            other,
            magic(b"ustar  \0", |header| header[386..397].fill(b'1')),
        ),
        tar_refused(
            "format-star",
            other,
            magic(b"ustar\x0000", |header| header[508..512].copy_from_slice(b"tar\0")),
        ),
    ]
}

fn sums() -> Vec<Case> {
    let mismatch = "E139 the archive's tar stream is damaged: archive header checksum mismatch";
    vec![
        tar_refused(
            "checksum-wrong",
            mismatch,
            app().forged("web-v1/x", REGULAR, b"", |header| {
                header.as_mut_bytes()[0] = b'W';
            }),
        ),
        tar_refused(
            "checksum-signed",
            mismatch,
            app().forged("web-v1/é", REGULAR, b"", |header| {
                let bytes = header.as_mut_bytes();
                bytes[148..156].fill(b' ');
                let sum: i32 = bytes.iter().map(|b| i32::from(b.cast_signed())).sum();
                bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            }),
        ),
        tar_refused(
            "checksum-missing",
            "not a number",
            app().forged("web-v1/x", REGULAR, b"", |header| {
                header.as_mut_bytes()[148..156].fill(b' ');
            }),
        ),
    ]
}
