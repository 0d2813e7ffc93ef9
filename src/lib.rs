#![doc = "restow"]
pub mod dockerfile;
pub mod edit;
pub mod shell;
pub mod text;
