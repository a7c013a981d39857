//! The program `shardlab`.

mod cli;
mod commands;
mod term;

use std::process::ExitCode;

use shardlab::machine::json;

fn main() -> ExitCode {
    let cli = match cli::Cli::of_process() {
        Ok(cli) => cli,
        Err(error) => {
            if error.use_stderr() && json::is_asked(std::env::args_os()) {
                return ExitCode::from(term::usage_error(&error.render().to_string()));
            }
            let printed = error.print();
            return ExitCode::from(match printed {
                _ if error.use_stderr() => shardlab::error::exit::USAGE,
                Ok(()) => shardlab::error::exit::DONE,
                Err(_) => shardlab::error::exit::ENVIRONMENT,
            });
        }
    };
    // A bug must not look like an answer, and unwinding has stopped the servers by then.
    let code = std::panic::catch_unwind(|| commands::run(cli));
    ExitCode::from(code.unwrap_or(shardlab::error::exit::BUG))
}
