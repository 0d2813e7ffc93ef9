//! The contract of the command line: models.

use super::support::{Folder, assert_holds};

const DOCKERFILE: &str = "FROM python:3.12-slim\nWORKDIR /app\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n";
const APP: &str = "import os\n\nfrom sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer(os.getenv(\"MODEL\", \"BAAI/bge-m3\"))\n";

fn service() -> Folder {
    Folder::new(&[("api/Dockerfile", DOCKERFILE), ("api/app.py", APP)])
}

#[test]
fn text_and_json_name_the_model_its_place_and_whether_it_is_in_the_image() {
    let folder = service();
    let ran = folder.restow(&["models", "."]).expect(0);
    assert_holds(&ran.out, &["api/Dockerfile", "BAAI/bge-m3", "api/app.py:5", "not in the image"]);
    assert_holds(&ran.err, &["1 of 1 service load models: 1 found, 1 not in the image, 0 unresolved"]);
    let ran = folder.restow(&["models", ".", "--format", "json"]).expect(0);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["version"], 1);
    let service = &report["services"][0];
    assert_eq!((&service["dockerfile"], &service["context"]), (&"api/Dockerfile".into(), &"api".into()));
    assert!(service["service"].is_null());
    let model = &service["models"][0];
    assert_eq!(
        (&model["id"], &model["given"], &model["line"], &model["in_image"]),
        (&"BAAI/bge-m3".into(), &"environment-default".into(), &5.into(), &false.into())
    );
}

#[test]
fn paths_count_from_the_folder_that_is_named() {
    let folder = Folder::repository(&[("api/Dockerfile", DOCKERFILE), ("api/app.py", APP)]);
    let ran = folder.restow(&["models", "api", "--format", "json"]).expect(0);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["services"][0]["dockerfile"], "Dockerfile");
    assert_eq!(report["services"][0]["models"][0]["path"], "app.py");
}

#[test]
fn patches_and_standard_input_are_misuse() {
    let folder = service();
    let ran = folder.restow(&["models", "--format", "patch"]).expect(2);
    assert_holds(&ran.err, &["models prints no patches"]);
    let ran = folder.restow(&["models", "-"]).expect(2);
    assert_holds(&ran.err, &["reads none from standard input"]);
}
