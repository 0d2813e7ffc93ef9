//! Read and write a build cache for services and bake targets.
//!
//! ## Why
//!
//! A builder that starts empty, or whose cache was pruned, repeats every step. `cache_from` lets it take the steps from an image or a
//! cache that was written before. Most hand-written entries find nothing: they name a base image, a tag that exists on one
//! machine only, or a reference that nothing ever writes. An entry works only together with what writes it.
//!
//! ## What changes
//!
//! Services with `build` in compose files, and targets of bake files, get `cache_from` and `cache_to` for one and the same place. The mode
//! comes from `--cache-mode` or `[cache]` in restow.toml, for single services from `[[cache.service]]`:
//!
//! - `inline` (the default): `cache_from: [IMAGE]` and `cache_to: [type=inline]`. The image carries the record of its own layers: those of
//!   its last stage, no others. Where something in the repository pushes exactly that image, every builder can read it. Otherwise it
//!   serves the docker driver with its own image store, after its cache was pruned or collected, and no one else.
//! - `registry`: `type=registry,ref=…:buildcache,mode=max`, all stages under a tag of its own: `REGISTRY/SERVICE:buildcache` with
//!   `cache.registry`, else beside the image. Needs push rights, and a builder that can export.
//! - `local`: `type=local` in a folder below `cache.directory`. Needs a builder that can export; grows without bound.
//! - `classic`: `cache_from: [IMAGE]` alone, for the builder before BuildKit (`DOCKER_BUILDKIT=0`), which reads the layers of an image that was
//!   pulled or built before. BuildKit finds nothing by it.
//! - `off`: nothing.
//!
//! The build argument `BUILDKIT_INLINE_CACHE: 1` becomes `cache_to: [type=inline]`, which does the same and can be seen; in mode
//! `classic` it goes, because that builder does not know it. Short `build: ./x` becomes the long form.
//!
//! ## What is left alone
//!
//! - A service without `image` (the default name depends on the project's), with a variable in it that has no default, with a digest,
//!   or with the name of a base image.
//! - Two services that would write one reference: each would overwrite the other's cache.
//! - A `build` that other services share by an anchor, an alias or a merge key, or that carries a tag such as `!reset`.
//! - Services in override files and those that `extends` joins: lists append, so an entry is written once.
//! - Existing entries: they are judged and reported, never rewritten. Only `cache_to: [type=inline]` is added where a service reads its
//!   own image and nothing writes the record.
//! - `no_cache: true`; builders other than BuildKit (mode `classic` aside).
//!
//! ## Safety
//!
//! Always for review. Inline metadata goes into the image. An export that fails fails the build: on the docker driver without the
//! containerd image store every `cache_to` but inline does (`Cache export is not supported for the docker driver`), and Compose before
//! 2.4 refuses the key. An import that fails is logged, and the build goes on. Whoever can push to the reference can put layers into
//! your builds, so it must be your own.
//!
//! ## References
//!
//! - docs.docker.com: build/cache/backends (inline, registry, local), compose-file build.md
//! - moby/moby builder-next (import from the local image store), docker/buildx build/opt.go (export on the docker driver)

mod bake;
mod compose;
mod entries;
mod examples;
mod existing;

use crate::transform::{BakeContext, ComposeContext, Findings, Kind, Level, Meta, Transform};

pub struct AddCacheFrom;

static META: Meta = Meta {
    id: "add-cache-from",
    kinds: &[Kind::Compose, Kind::Bake],
    level: Level::Review,
    prose: include_str!("mod.rs"),
    examples: examples::EXAMPLES,
};

impl Transform for AddCacheFrom {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn compose(&self, cx: &ComposeContext<'_>, out: &mut Findings) {
        for service in &cx.compose.services {
            let Some(build) = service.any_build() else {
                if let Some(reason) = compose::inherited(cx, service) {
                    out.skip(crate::text::Span::at(service.offset), format!("`{}`: {reason}", service.name));
                }
                continue;
            };
            match compose::Site::find(cx, service, build) {
                Ok(site) => out.changes.push(site.change()),
                Err(reason) => out.skip(crate::text::Span::at(build.offset), format!("`{}`: {reason}", service.name)),
            }
        }
    }

    fn bake(&self, cx: &BakeContext<'_>, out: &mut Findings) {
        for target in &cx.bake.targets {
            match bake::Site::find(cx, target) {
                Ok(site) => out.changes.push(site.change()),
                Err(reason) => out.skip(crate::text::Span::at(target.offset), format!("`{}`: {reason}", target.name)),
            }
        }
    }
}
