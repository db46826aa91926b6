//! What a service says of the functions that it uses, when one of them gets another identity
//! (contracts/editor.md 1.7.2).

use serde_json::{Value, json};

use super::triple::Triple;
use crate::resource::kind::version_fits as fits;

/// Rewrites every mention of `old`: in `network_functions`, in `vnf_dependencies` and, as
/// `vendor:name:version`, in `vnf_depedency`, which is what the front end writes. Says whether there
/// was one.
///
/// `others` are the versions that there are besides, of the same vendor and name: a requirement that
/// one of them fulfils, such as `>= 0.1`, is not about `old`. One that `new` fulfils too stays as it
/// is written.
pub(super) fn replace(service: &mut Value, old: &Triple, new: &Triple, others: &[String]) -> bool {
    let mut found = false;
    let is_meant = |required: &str| fits(required, &old.version) && !others.iter().any(|other| fits(required, other));
    for used in items(service, "network_functions") {
        let Some(required) = used["vnf_version"].as_str().map(str::to_owned) else { continue };
        if used["vnf_vendor"] == *old.vendor && used["vnf_name"] == *old.name && is_meant(&required) {
            used["vnf_vendor"] = json!(new.vendor);
            used["vnf_name"] = json!(new.name);
            if !fits(&required, &new.version) {
                let sign = if required.starts_with("==") { "== " } else { "" };
                used["vnf_version"] = json!(format!("{sign}{}", new.version));
            }
            found = true;
        }
    }
    for used in items(service, "vnf_dependencies") {
        if Triple::of(used).as_ref() == Some(old) {
            used["vendor"] = json!(new.vendor);
            used["name"] = json!(new.name);
            used["version"] = json!(new.version);
            found = true;
        }
    }
    let (old, new) = (old.to_string(), new.to_string());
    for used in items(service, "vnf_depedency") {
        if *used == *old {
            *used = json!(new);
            found = true;
        }
    }
    found
}

fn items<'v>(value: &'v mut Value, key: &str) -> impl Iterator<Item = &'v mut Value> {
    value.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn triple(text: &str) -> Triple {
        let parts: Vec<&str> = text.split(':').collect();
        Triple { vendor: parts[0].into(), name: parts[1].into(), version: parts[2].into() }
    }

    #[test]
    fn every_form_of_a_reference_is_rewritten() {
        let used = |vendor: &str, name: &str, version: &str| json!({ "vnf_id": "x", "vnf_vendor": vendor, "vnf_name": name, "vnf_version": version });
        let mut service = json!({
            "network_functions": [
                used("v", "fw", "0.1"),
                used("v", "fw", "0.2"),
                used("v", "fw", ">= 0.1"),
                used("v", "fw", "== 0.1"),
                used("w", "fw", "0.1"),
                { "vnf_id": "none" },
                5,
            ],
            "vnf_dependencies": [{ "vendor": "v", "name": "fw", "version": "0.1" }, { "vendor": "v" }],
            "vnf_depedency": ["v:fw:0.1", "v:fw:0.2", 7],
        });
        assert!(replace(&mut service, &triple("v:fw:0.1"), &triple("n:wall:0.3"), &[]));
        assert_eq!(
            service,
            json!({
                "network_functions": [
                    used("n", "wall", "0.3"),
                    used("v", "fw", "0.2"),
                    used("n", "wall", ">= 0.1"),
                    used("n", "wall", "== 0.3"),
                    used("w", "fw", "0.1"),
                    { "vnf_id": "none" },
                    5,
                ],
                "vnf_dependencies": [{ "vendor": "n", "name": "wall", "version": "0.3" }, { "vendor": "v" }],
                "vnf_depedency": ["n:wall:0.3", "v:fw:0.2", 7],
            })
        );
        let before = service.clone();
        assert!(!replace(&mut service, &triple("v:fw:0.1"), &triple("n:wall:0.3"), &[]));
        assert_eq!(service, before);
        assert!(!replace(&mut json!(null), &triple("v:fw:0.1"), &triple("n:wall:0.3"), &[]));
    }

    #[test]
    fn what_others_fulfil_is_not_about_the_one_renamed() {
        let used = |version: &str| json!({ "network_functions": [{ "vnf_vendor": "v", "vnf_name": "fw", "vnf_version": version }] });
        let renamed = |version: &str, others: &[&str]| {
            let others: Vec<String> = others.iter().map(|other| (*other).to_owned()).collect();
            let mut service = used(version);
            replace(&mut service, &triple("v:fw:0.1"), &triple("v:fw:0.05"), &others);
            service["network_functions"][0]["vnf_version"].clone()
        };
        assert_eq!(renamed("0.1", &["0.2"]), "0.05");
        assert_eq!(renamed("0.1", &["0.1"]), "0.1");
        assert_eq!(renamed(">= 0.1", &["0.2"]), ">= 0.1");
        assert_eq!(renamed(">= 0.1", &[]), ">= 0.1", "05 is five");
        assert_eq!(renamed("<= 0.1", &[]), "0.05", "05 is five");
    }
}
