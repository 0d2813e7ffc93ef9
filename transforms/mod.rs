//! The transforms, in application order.

pub mod add_cache_from;
pub mod add_cache_mounts;
pub mod add_ci_cache;
pub mod add_model_stage;
pub mod add_model_volume;
pub mod copy_manifests_first;
pub mod drop_no_cache;
pub mod sink_build_args;
pub mod split_installs;

use crate::transform::Transform;

/// All transforms, in the order in which they are applied.
pub const ALL: &[&dyn Transform] = &[
    &copy_manifests_first::CopyManifestsFirst,
    &split_installs::SplitInstalls,
    &sink_build_args::SinkBuildArgs,
    &add_cache_mounts::AddCacheMounts,
    &drop_no_cache::DropNoCache,
    &add_model_stage::AddModelStage,
    &add_model_volume::AddModelVolume,
    &add_cache_from::AddCacheFrom,
    &add_ci_cache::AddCiCache,
];

/// Their ids, in the same order.
pub fn ids() -> Vec<&'static str> {
    ALL.iter().map(|transform| transform.meta().id).collect()
}
