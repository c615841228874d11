//! Links libmaas as pkg-config says; the program looks for it where it lies now.
use std::process::Command;

fn main() {
    let told = Command::new("pkg-config").args(["--libs", "maas"]).output().expect("pkg-config");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    for word in String::from_utf8(told.stdout).expect("UTF-8").split_whitespace() {
        println!("cargo:rustc-link-arg={word}");
        if let Some(folder) = word.strip_prefix("-L") {
            println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
        }
    }
}
