//! placeholder until the matcher is in
#[derive(Debug, Clone, Default)]
pub struct Dockerignore;
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct BadPattern;
impl Dockerignore {
    pub fn read(_: &str) -> Result<Self, BadPattern> {
        Ok(Self)
    }
    pub fn excludes(&self, _: &str) -> bool {
        false
    }
    pub fn excludes_whole(&self, _: &str) -> bool {
        false
    }
}
