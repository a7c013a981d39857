//! TLS: what is wrong with a connection is told at once, with what to do. A whole run over TLS is in `attach`.

use crate::program::{PING, folder, program};
use crate::secured::{Authority, Identity, expired};
use crate::server::serve;

/// Where a run ends that has come through TLS and met a server without a cluster.
const THROUGH: &str = "is not a node of a cluster: ";

#[test]
fn what_is_wrong_with_tls_is_code_3_at_once_and_says_what_to_do() {
    let folder = folder(&[("fixtures/ping/is_answered.resp", PING)]);
    let plain = serve(|_| Some(b"-ERR This instance has cluster support disabled\r\n".to_vec()));
    // Redis waits for the end of the line that it takes the beginning of TLS for.
    let patient = serve(|request| {
        let pong = request.contains("PING").then(|| b"+PONG\r\n".to_vec());
        Some(pong.unwrap_or_default())
    });
    let (ours, others) = (Authority::new("ours"), Authority::new("others"));
    let server = ours.identity(|_| {});
    let open = ours.front(plain, &server, false);
    let closed = ours.front(plain, &server, true);
    let old = ours.front(plain, &ours.identity(expired), false);
    let alone = ours.front(plain, &Identity::alone(&ours), false);
    let file = |authority: &Authority, name: &str| authority.file(name).display().to_string();
    let (ca, other_ca) = (file(&ours, "ca.crt"), file(&others, "ca.crt"));
    let (cert, key) = (file(&ours, "client.crt"), file(&ours, "client.key"));
    let (other_cert, other_key) = (file(&others, "client.crt"), file(&others, "client.key"));
    let alone_ca = file(&ours, "alone.crt");
    let ours = ["--tls", "--cacert", &ca];
    for (address, options, cause, advice) in [
        (open, &[][..], "speaks only TLS", "`--tls`"),
        (plain, &ours, "it does not speak TLS", "leave out `--tls`"),
        (patient, &ours, "it does not speak TLS", "leave out `--tls`"),
        (open, &ours, THROUGH, ""),
        (open, &["--tls", "--insecure"], THROUGH, ""),
        (
            open,
            &["--tls", "--cacert", &other_ca],
            "no trusted authority",
            "`--cacert FILE`",
        ),
        (
            open,
            &["--tls", "--cacert", &ca, "--sni", "one.example"],
            THROUGH,
            "",
        ),
        (
            open,
            &["--tls", "--cacert", &ca, "--sni", "two.example"],
            "is for `one.example`, not for `two.example`",
            "`--sni NAME`",
        ),
        (old, &ours, "has expired", "another certificate"),
        (alone, &ours, "no trusted authority", "`--cacert FILE`"),
        (alone, &["--tls", "--cacert", &alone_ca], THROUGH, ""),
        (
            closed,
            &ours,
            "it wants a client certificate",
            "`--cert FILE` and `--key FILE`",
        ),
        (
            closed,
            &[
                "--tls",
                "--cacert",
                &ca,
                "--cert",
                &other_cert,
                "--key",
                &other_key,
            ],
            "it refuses the client certificate",
            "has signed",
        ),
        (
            closed,
            &["--tls", "--cacert", &ca, "--cert", &cert, "--key", &key],
            THROUGH,
            "",
        ),
    ] {
        let run = program(folder.path())
            .args(["run", "fixtures", "--attach", &address.to_string()])
            .args(options)
            .assert()
            .code(3);
        let text = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
        let (error, hint) = text.split_once("\n\n").unwrap();
        assert!(
            error.starts_with("error: ") && error.contains(cause) && hint.contains(advice),
            "{options:?}: {text}"
        );
    }
}

#[test]
fn options_for_tls_that_are_of_no_use_are_code_2() {
    let folder = folder(&[("fixtures/ping/is_answered.resp", PING), ("empty", "")]);
    for (options, cause) in [
        (&["--insecure"][..], "neither `--tls` nor a URL"),
        (&["--tls", "--cacert", "nowhere"], "cannot read `nowhere`"),
        (
            &["--tls", "--cacert", "empty"],
            "does not hold a certificate",
        ),
        (&["--tls", "--cert", "empty"], "must be given together"),
        (&["--tls", "--sni", "a b"], "is not the name of a server"),
    ] {
        let run = program(folder.path())
            .args(["run", "fixtures", "--attach", "127.0.0.1:1"])
            .args(options)
            .assert()
            .code(2);
        let text = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
        assert!(text.contains(cause), "{options:?}: {text}");
    }
}
