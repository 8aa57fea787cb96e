//! The one way to read a tar header.
//!
//! Readers agree about headers that the known packers write, and differ about the rest: numbers with signs, blanks
//! or high bytes, names split by a format that the magic does not announce, fields of one format in the header of
//! another. This is where such headers end, before the tar crate interprets them. The rule: what passes, GNU tar,
//! Python's tarfile and Docker read in the same way; the tests hold it against the first two.

use tar::Header;

use crate::error::ArchiveError;

const MODE: std::ops::Range<usize> = 100..108;
const UID: std::ops::Range<usize> = 108..116;
const GID: std::ops::Range<usize> = 116..124;
const SIZE: std::ops::Range<usize> = 124..136;
const MTIME: std::ops::Range<usize> = 136..148;
const CHECKSUM: std::ops::Range<usize> = 148..156;
const MAGIC: std::ops::Range<usize> = 257..265;
const DEVICES: [std::ops::Range<usize>; 2] = [329..337, 337..345];
/// Where ustar has its prefix, and where GNU has times and sparse maps that Python takes for a prefix.
const GNU_EXTRAS: std::ops::Range<usize> = 345..512;
/// Behind ustar's prefix; star puts a magic of its own there, and then splits the prefix.
const USTAR_PAD: std::ops::Range<usize> = 500..512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// POSIX, with a prefix.
    Ustar,
    Gnu,
    /// Before POSIX: nothing stands behind the link name.
    V7,
}

/// What of a header an entry keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) mode: u64,
    pub(crate) size: u64,
    pub(crate) mtime: u64,
}

/// Reads the numbers of a header that has one reading only.
pub(crate) fn numbers(header: &Header) -> Result<Numbers, ArchiveError> {
    let bytes = header.as_bytes();
    let format = format(bytes).ok_or_else(|| refused("is neither ustar, GNU nor V7"))?;
    let clean = match format {
        Format::Ustar => USTAR_PAD,
        Format::Gnu => GNU_EXTRAS,
        Format::V7 => 257..512,
    };
    if bytes[clean].iter().any(|b| *b != 0) {
        return Err(refused("has fields of another format"));
    }
    for field in [UID, GID, CHECKSUM].into_iter().chain(DEVICES) {
        number(&bytes[field])?;
    }
    Ok(Numbers { mode: number(&bytes[MODE])?, size: number(&bytes[SIZE])?, mtime: number(&bytes[MTIME])? })
}

fn format(bytes: &[u8; 512]) -> Option<Format> {
    match &bytes[MAGIC] {
        b"ustar\x0000" => Some(Format::Ustar),
        b"ustar  \0" => Some(Format::Gnu),
        [0, 0, 0, 0, 0, 0, 0, 0] => Some(Format::V7),
        _ => None,
    }
}

/// Octal digits, blanks before, blanks or NULs behind; or GNU's base 256, when it is positive. All NULs are 0.
fn number(field: &[u8]) -> Result<u64, ArchiveError> {
    let strange = || refused(&format!("has a number \"{}\" that readers differ about", field.escape_ascii()));
    if let [0x80, rest @ ..] = field {
        return base_256(rest).ok_or_else(strange);
    }
    let start = field.iter().position(|b| *b != b' ').unwrap_or(field.len());
    let digits = &field[start..];
    let end = digits.iter().position(|b| !matches!(b, b'0'..=b'7')).unwrap_or(digits.len());
    let nothing = end == 0 && field[0] != 0;
    if nothing || digits[end..].iter().any(|b| !matches!(b, 0 | b' ')) {
        return Err(strange());
    }
    Ok(digits[..end].iter().fold(0, |value, digit| value * 8 + u64::from(digit - b'0')))
}

/// Big-endian; a value that another reader would take for negative or would cut off is none.
fn base_256(bytes: &[u8]) -> Option<u64> {
    let value = bytes
        .iter()
        .try_fold(0_u64, |value, byte| value.checked_mul(256).map(|shifted| shifted + u64::from(*byte)))?;
    i64::try_from(value).is_ok().then_some(value)
}

fn refused(problem: &str) -> ArchiveError {
    ArchiveError::Tar(format!("a header {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_packers_write_is_read() {
        for (field, value) in [
            (&b"0000644\0"[..], 0o644),
            (b"   644 \0", 0o644),
            (b"000644 \0", 0o644),
            (b"77777777", 0o77_777_777),
            (b"\0\0\0\0\0\0\0\0", 0),
            (b"\x80\0\0\0\0\0\0\0\0\0\x01\x02", 258),
        ] {
            assert_eq!(number(field), Ok(value), "{}", field.escape_ascii());
        }
    }

    #[test]
    fn a_number_that_readers_differ_about_is_refused() {
        for field in [
            &b"-0000001"[..],
            b"+0000001",
            b"        ",
            b"\t000001\0",
            b"0000008\0",
            b"0x10\0\0\0\0",
            b"1_0\0\0\0\0\0",
            b"12\x0034\0\0\0",
            b"\x00012\0\0\0\0",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x81\0\0\0\0\0\0\x01",
            b"\x80\0\0\x01\0\0\0\0\0\0\0\0",
            b"\x80\0\0\0\x80\0\0\0\0\0\0\0",
        ] {
            assert!(number(field).is_err(), "{} was read", field.escape_ascii());
        }
    }
}
