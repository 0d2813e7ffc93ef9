//! Examples: changed, and one unchanged for each reason to leave a service alone.

use crate::transform::Example;

const fn compose(name: &'static str, before: &'static str) -> Example {
    Example { name, path: "compose.yaml", before, files: &[], config: "" }
}

pub const EXAMPLES: &[Example] = &[
    compose("inline", "services:\n  api:\n    build: ./api\n    image: ghcr.io/acme/api:1.2\n"),
    compose("left-alone-without-an-image", "services:\n  api:\n    build: ./api\n"),
];
