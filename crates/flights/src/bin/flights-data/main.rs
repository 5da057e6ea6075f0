//! Behind `make data`: the full year of flights, and what is pinned from it. Behind `make oracle`:
//! logs that another program can read. `flights-data --help` lists what it does.

mod pinned;
mod records;
mod source;

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, io};

use flights::write_csv;

use pinned::{Pinned, first_difference};
use records::Log;

const USAGE: &str = "expected `convert FLIGHTS_CSV TARGET`, `check DATA`, `pin DATA`, \
                     `records LOG TARGET` or `--help`";

const HELP: &str = "\
flights-data convert FLIGHTS_CSV TARGET   the package's flights as a data set
flights-data check DATA                   are the pinned files in DATA what its full year gives?
flights-data pin DATA                     write the pinned files anew
flights-data records LOG TARGET           a log as lines of JSON, in arrival order, each with the
                                          offset that it has on a topic of one partition

LOG is one of
  calm, storm   the flights of a week that left
  edges         a made log that meets every edge of a window, to the millisecond
  a number      so many made flights, out of order by at most 15 minutes: 1000000

A log with late flights, a hot key, a wrong clock, a silent partition, duplicates or poison pills
is made in code, by `flights::Generator` and `flights::RecordGenerator`, and written to a topic
of several partitions by `runs::write_generated`.";

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments = env::args_os().skip(1).map(PathBuf::from).collect::<Vec<_>>();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("flights-data: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[PathBuf]) -> Outcome {
    let Some((command, paths)) = arguments.split_first() else { return Err(USAGE.into()) };
    match (command.to_str(), paths) {
        (Some("convert"), [flights_csv, target]) => convert(flights_csv, target),
        (Some("check"), [data]) => {
            pinned_files(data)?.iter().try_for_each(|file| check(data, file))
        }
        (Some("pin"), [data]) => pinned_files(data)?.iter().try_for_each(|file| pin(data, file)),
        (Some("records"), [log, target]) => records(log, target),
        (Some("-h" | "--help"), []) => say(HELP),
        _ => Err(USAGE.into()),
    }
}

fn convert(flights_csv: &Path, target: &Path) -> Outcome {
    let source = File::open(flights_csv).map_err(|error| cannot("read", flights_csv, &error))?;
    let data = source::read(source, &flights_csv.display().to_string())?;
    let mut csv = vec![];
    write_csv(&data, &mut csv)?;
    write_whole(target, |file| file.write_all(&csv))?;
    let (departed, cancelled) = (data.departed.len(), data.cancelled.len());
    let all = departed + cancelled;
    say(&format!("{all} flights: {departed} departed, {cancelled} cancelled"))
}

fn records(log: &Path, target: &Path) -> Outcome {
    let log = log.to_str().and_then(Log::named).ok_or_else(|| {
        let found = log.display();
        format!("expected `calm`, `storm`, `edges` or a number of made flights, found `{found}`")
    })?;
    Ok(write_whole(target, |file| log.write(file))?)
}

fn pinned_files(data: &Path) -> Result<Vec<Pinned>, Box<dyn Error>> {
    let year = data.join("full").join("flights-2013.csv");
    pinned::from_year(&read_text(&year)?, &year.display().to_string())
}

fn check(data: &Path, file: &Pinned) -> Outcome {
    let path = data.join(file.name);
    match first_difference(&file.text, &read_text(&path)?) {
        None => say(&format!("{}: as the full year gives it", path.display())),
        Some(difference) => {
            let path = path.display();
            Err(format!(
                "{path} is not what the full year gives, {difference}; \
                 `scripts/data.sh --pin` writes it anew"
            )
            .into())
        }
    }
}

fn pin(data: &Path, file: &Pinned) -> Outcome {
    let path = data.join(file.name);
    write_whole(&path, |target| target.write_all(file.text.as_bytes()))?;
    say(&format!("{}: written", path.display()))
}

/// Unlike `println!`, this does not panic when the reader of a pipe has gone.
fn say(line: &str) -> Outcome {
    Ok(writeln!(io::stdout(), "{line}")?)
}

fn read_text(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| cannot("read", path, &error))
}

/// Writes a file whole or not at all: under another name first, which is then its own.
fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), String> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let written = File::create(&part).and_then(|file| {
        let mut buffered = BufWriter::new(file);
        write(&mut buffered)?;
        buffered.into_inner()?.sync_all()?;
        fs::rename(&part, path)
    });
    written.map_err(|error| {
        // The error of the write is the one to report; a part that stays behind is overwritten
        // by the next run.
        let _ = fs::remove_file(&part);
        cannot("write", path, &error)
    })
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> String {
    format!("cannot {what} {}: {error}", path.display())
}
