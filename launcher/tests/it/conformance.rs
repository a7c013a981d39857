//! `shardlab conformance` hands over to the other program.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use snapbox::cmd::Command;

use crate::lab::Lab;

#[test]
fn conformance_is_the_program_beside_it_or_on_path() {
    let lab = Lab::new();
    // A copy that has nothing beside it.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (beside, on_path) = (folder.path().join("bin"), folder.path().join("path"));
    let program = beside.join("shardlab");
    for folder in [&beside, &on_path] {
        fs::create_dir(folder).unwrap();
    }
    fs::hard_link(env!("CARGO_BIN_EXE_shardlab"), &program).unwrap();
    let conformance = |arguments: &[&str]| {
        Command::new(&program)
            .arg("conformance")
            .args(arguments)
            .env("SHARDLAB_HOME", lab.home())
            .env("PATH", &on_path)
            .assert()
    };
    let told = format!(
        "error: the program `shardlab-conformance` is neither beside this program in `{}` nor on PATH\n\n\
         hint: `cargo install --path conformance` puts it on PATH\n",
        beside.display()
    );
    conformance(&["list"]).code(3).stdout_eq("").stderr_eq(told);

    // What it is given goes to the other program as it is, and the answer is that program's.
    let fake = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake/server");
    let install = |folder: &Path| {
        let path = folder.join("shardlab-conformance");
        symlink(&fake, &path).unwrap();
        let does = "printf '%s\\n' \"$0\" \"$@\"\nexit 7\n";
        fs::write(path.with_extension("does"), does).unwrap();
        path.display().to_string()
    };
    let found = install(&on_path);
    for arguments in [
        &["--help"][..],
        &["-h"],
        &["--version"],
        &["help"],
        &["run", "--help"],
        &["run", "-n", "x y", "--", "--json"],
        &[],
    ] {
        let lines: Vec<_> = [found.as_str()].iter().chain(arguments).copied().collect();
        let told = lines.join("\n") + "\n";
        conformance(arguments).code(7).stdout_eq(told);
    }
    let found = install(&beside);
    conformance(&["list"])
        .code(7)
        .stdout_eq(format!("{found}\nlist\n"));
    lab.assert_empty();
}
