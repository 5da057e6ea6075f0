//! The Docker engine as a person uses it: by its command line.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::common::OwnRig;

const VERSIONS: &str = include_str!("../../../../../versions.env");

/// Fails the test with one sentence where no engine answers.
#[track_caller]
pub fn engine_is_there() {
    let version = Command::new("docker").arg("version").output();
    let answers = version.is_ok_and(|output| output.status.success());
    assert!(answers, "no Docker engine answers, and this test needs one: start Docker");
}

/// Runs `docker` and returns what it printed, without the white space at its end.
#[track_caller]
pub fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().expect("docker runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "docker {arguments:?} failed: {errors}");
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// The containers of a rig that run: `kafka` and `postgres` when all is well.
pub fn running(rig: &OwnRig) -> Vec<String> {
    listed(rig, &["--filter", "status=running"], "{{.Label \"tidemark.server\"}}")
}

/// The containers of a rig, running or not.
pub fn all(rig: &OwnRig) -> Vec<String> {
    listed(rig, &["--all"], "{{.Label \"tidemark.server\"}}")
}

/// The id of a rig's container for this server.
#[track_caller]
pub fn id(rig: &OwnRig, server: &str) -> String {
    let filter = format!("label=tidemark.server={server}");
    let ids = listed(rig, &["--all", "--no-trunc", "--filter", &filter], "{{.ID}}");
    assert_eq!(ids.len(), 1, "expected one container of {server}, found {ids:?}");
    ids.into_iter().next().expect("there is one")
}

fn listed(rig: &OwnRig, options: &[&str], format: &str) -> Vec<String> {
    let label = format!("label=tidemark.rig={}", rig.folder().display());
    let arguments = [&["ps", "--filter", &label, "--format", format], options].concat();
    let mut lines: Vec<_> = docker(&arguments).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// One of the two images that the rig starts.
#[derive(Clone, Copy)]
pub enum Image {
    Kafka,
    Postgres,
}

impl Image {
    /// The image with its tag.
    fn reference(self) -> String {
        let name = match self {
            Image::Kafka => "KAFKA",
            Image::Postgres => "POSTGRES",
        };
        format!("{}:{}", pinned(&format!("{name}_IMAGE=")), pinned(&format!("{name}_VERSION=")))
    }
}

fn pinned(name: &str) -> &'static str {
    VERSIONS.lines().find_map(|line| line.strip_prefix(name)).expect("versions.env holds it")
}

/// Images of a test's own under the pinned names, behind a prefix that `TIDEMARK_REGISTRY` sets.
/// They are there already, so no registry is asked. Removed with the test.
pub struct OwnImages {
    prefix: String,
}

impl OwnImages {
    /// Both images as they are.
    pub fn new(test: &str) -> OwnImages {
        engine_is_there();
        let images = OwnImages { prefix: format!("127.0.0.1:1/{test}-{}", std::process::id()) };
        for image in [Image::Kafka, Image::Postgres] {
            docker(&["tag", &image.reference(), &images.name(image)]);
        }
        images
    }

    /// What `TIDEMARK_REGISTRY` must be for these images to be taken.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Has a shell script run in place of the server. In it, `"$@"` is the server's own command.
    #[track_caller]
    pub fn start_with(&self, image: Image, script: &str) {
        let format = "--format={{json .Config.Entrypoint}} {{json .Config.Cmd}}";
        let own = docker(&["image", "inspect", format, &image.reference()]);
        let (entrypoint, command) = own.split_once(' ').expect("two lists");
        let entrypoint: Vec<String> = serde_json::from_str(entrypoint).expect("a list");
        let command: Option<Vec<String>> = serde_json::from_str(command).expect("a list or null");
        let wrapped = [&["/bin/sh", "-c", script, "sh"].map(str::to_owned)[..], &entrypoint];
        let entrypoint = serde_json::to_string(&wrapped.concat()).expect("a list of texts");
        let command = serde_json::to_string(&command.unwrap_or_default()).expect("texts");
        let reference = image.reference();
        self.build(image, &format!("FROM {reference}\nENTRYPOINT {entrypoint}\nCMD {command}\n"));
    }

    fn build(&self, image: Image, dockerfile: &str) {
        let mut build = Command::new("docker")
            .args(["build", "--quiet", "--tag", &self.name(image), "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker runs");
        let mut input = build.stdin.take().expect("the input is piped");
        input.write_all(dockerfile.as_bytes()).expect("docker reads the file");
        drop(input);
        let output = build.wait_with_output().expect("docker ends");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "docker build failed: {errors}");
    }

    fn name(&self, image: Image) -> String {
        format!("{}/{}", self.prefix, image.reference())
    }
}

impl Drop for OwnImages {
    fn drop(&mut self) {
        for image in [Image::Kafka, Image::Postgres] {
            let name = self.name(image);
            let _ = Command::new("docker").args(["image", "rm", "--force", &name]).output();
        }
    }
}
