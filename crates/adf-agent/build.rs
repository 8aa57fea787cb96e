//! How the program is linked.

fn main() {
    // A position independent program has a relocation for every address in its tables, a megabyte of them, all read at the
    // start. Packed they are a twentieth. Source: ld(1), `-z pack-relative-relocs`; needs glibc 2.36 at run time.
    println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    println!("cargo:rerun-if-changed=build.rs");
}
