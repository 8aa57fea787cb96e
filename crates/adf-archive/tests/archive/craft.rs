//! Archives made by hand, so that they can be wrong.

use std::io::Write as _;

use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, Crc};
use tar::{EntryType, Header};

/// A tar written by hand, so that it can be wrong.
#[derive(Default)]
pub(crate) struct Tar(pub(crate) Vec<u8>);

impl Tar {
    pub(crate) fn raw(mut self, name: &[u8], kind: EntryType, mode: u32, link: &[u8], data: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.as_gnu_mut().expect("gnu").name[..name.len()].copy_from_slice(name);
        header.as_gnu_mut().expect("gnu").linkname[..link.len()].copy_from_slice(link);
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(501);
        header.set_size(data.len() as u64);
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(data);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    /// A header as `raw` makes it, changed byte for byte before its checksum is made.
    pub(crate) fn edited(
        self,
        name: &str,
        kind: EntryType,
        data: &[u8],
        edit: impl FnOnce(&mut [u8; 512]),
    ) -> Self {
        self.forged(name, kind, data, |header| {
            edit(header.as_mut_bytes());
            header.set_cksum();
        })
    }

    /// A header as `raw` makes it, changed afterwards, checksum and all.
    pub(crate) fn forged(
        mut self,
        name: &str,
        kind: EntryType,
        data: &[u8],
        forge: impl FnOnce(&mut Header),
    ) -> Self {
        let start = self.0.len();
        self = self.raw(name.as_bytes(), kind, 0o644, b"", data);
        let mut header = Header::from_byte_slice(&self.0[start..start + 512]).clone();
        forge(&mut header);
        self.0[start..start + 512].copy_from_slice(header.as_bytes());
        self
    }

    pub(crate) fn file(self, name: &str, data: &[u8]) -> Self {
        self.raw(name.as_bytes(), EntryType::Regular, 0o644, b"", data)
    }

    pub(crate) fn folder(self, name: &str) -> Self {
        self.raw(name.as_bytes(), EntryType::Directory, 0o755, b"", b"")
    }

    pub(crate) fn link(self, name: &str, target: &str) -> Self {
        self.raw(name.as_bytes(), EntryType::Symlink, 0o777, target.as_bytes(), b"")
    }

    pub(crate) fn pax(self, records: &[(&str, &str)]) -> Self {
        let mut data = Vec::new();
        for (key, value) in records {
            let rest = format!(" {key}={value}\n");
            let digits = (rest.len() + 1..rest.len() + 10)
                .find(|n| n.to_string().len() + rest.len() == *n)
                .expect("a length");
            data.extend_from_slice(format!("{digits}{rest}").as_bytes());
        }
        self.pax_raw(&data)
    }

    pub(crate) fn pax_raw(self, data: &[u8]) -> Self {
        self.raw(b"pax", EntryType::XHeader, 0o644, b"", data)
    }

    pub(crate) fn global(self, data: &[u8]) -> Self {
        self.raw(b"pax_global_header", EntryType::XGlobalHeader, 0o666, b"", data)
    }

    pub(crate) fn long_name(self, name: &str) -> Self {
        self.raw(b"././@LongLink", EntryType::GNULongName, 0o644, b"", format!("{name}\0").as_bytes())
    }

    pub(crate) fn long_link(self, target: &str) -> Self {
        self.raw(b"././@LongLink", EntryType::GNULongLink, 0o644, b"", format!("{target}\0").as_bytes())
    }

    pub(crate) fn ended(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&[0; 1024]);
        self.0
    }

    pub(crate) fn gz(self) -> Vec<u8> {
        gzip(&self.ended())
    }
}

pub(crate) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).expect("in memory");
    encoder.finish().expect("in memory")
}

/// A gzip member with these flags, and `fields` between its header and its content.
pub(crate) fn member(flags: u8, fields: &[u8], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255];
    bytes.extend_from_slice(fields);
    let mut encoder = DeflateEncoder::new(bytes, Compression::default());
    encoder.write_all(data).expect("in memory");
    let mut bytes = encoder.finish().expect("in memory");
    let mut checksum = Crc::new();
    checksum.update(data);
    bytes.extend_from_slice(&checksum.sum().to_le_bytes());
    bytes.extend_from_slice(&u32::try_from(data.len()).expect("small").to_le_bytes());
    bytes
}

pub(crate) fn app() -> Tar {
    Tar::default().folder("web-v1/").file("web-v1/Dockerfile", b"FROM scratch\n")
}
