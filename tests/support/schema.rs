//! The schemas of what is printed, and whether something is as they say.

use jsonschema::{Registry, Validator};
use serde_json::Value;
use std::path::Path;

#[track_caller]
pub fn assert_valid(schema: &Validator, lines: &[Value]) {
    assert!(!lines.is_empty());
    for line in lines {
        let wrong: Vec<String> = schema
            .iter_errors(line)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{line}\n{}", wrong.join("\n"));
    }
}

/// Returns the schema of this name, itself checked; references stay within the folder.
pub fn schema(name: &str) -> Validator {
    let verdict = document("verdict");
    let registry = Registry::new()
        .add("https://presence.example/verdict.schema.json", verdict)
        .expect("it is a schema")
        .prepare()
        .expect("its references can be followed");
    let document = document(name);
    jsonschema::draft202012::meta::validate(&document)
        .unwrap_or_else(|error| panic!("schemas/{name}.schema.json: {error}"));
    jsonschema::options()
        .with_registry(&registry)
        .with_base_uri(format!("https://presence.example/{name}.schema.json"))
        .build(&document)
        .unwrap_or_else(|error| panic!("schemas/{name}.schema.json: {error}"))
}

fn document(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{name}.schema.json"));
    let text = std::fs::read_to_string(&path).expect("the schema is there");
    serde_json::from_str(&text).expect("it is JSON")
}
