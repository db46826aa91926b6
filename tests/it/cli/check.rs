//! `check`: what the server would say, without one.

use super::process::Place;

#[test]
fn verdicts_are_those_of_an_import() {
    let place = Place::new();
    place.write("projects/demo/project.yml", "name: demo\nvendor: org.example\nversion: '0.1'\n");
    place.write("projects/demo/sources/nsd/broken.yml", "vendor: org.example\nname: 5\nversion: 1.10\n");
    place.write("projects/demo/sources/nsd/twice.yml", "vendor: a\nvendor: b\n");
    place.write("projects/demo/sources/vnf/x/image.bin", [0, 159, 146, 150]);
    place.write("projects/demo/sources/nsd/latin.yml", b"name: \xe9\n");
    let violations = |out: &str| {
        let mut found: Vec<String> = out
            .lines()
            .filter(|line| line.split(':').nth(1).is_some_and(|at| at.parse::<u32>().is_ok()))
            .map(str::to_owned)
            .collect();
        found.sort();
        found
    };
    let checked = place.run(&["check", "projects"]).expect(1);
    let imported = place.run(&["import", "projects", "--workspace", "ann/lab"]).expect(0);
    let found = violations(&checked.out);
    assert_eq!(found, violations(&imported.out), "{checked:?}");
    for file in ["broken.yml", "twice.yml", "latin.yml"] {
        assert!(found.iter().any(|line| line.contains(file)), "{file}: {found:#?}");
    }
    assert_eq!(checked.line("projects/demo/project.yml: "), "project");
    assert_eq!(checked.line("projects/demo/sources/vnf/x/image.bin: "), "no kind claims this path");
    assert_eq!(checked.out.lines().last().unwrap(), format!("4 documents, {} violations", found.len()));
    assert_eq!(checked.err, "");
}

#[test]
fn exit_codes() {
    let place = Place::new();
    place.write("componenttypes/good.yml", "name: a\n");
    place.write("good.yml", "name: a\n");
    place.write("bad.yml", "nme: a\n");
    place.run(&["check", "good.yml", "--kind", "componenttype"]).expect(0);
    let bad = place.run(&["check", "good.yml", "bad.yml", "--kind", "componenttype"]).expect(1);
    assert!(bad.out.lines().any(|line| line.starts_with("bad.yml:1:1: ")), "{bad:?}");
    // What no kind claims breaks none.
    assert_eq!(place.run(&["check", "good.yml"]).expect(0).line("good.yml: "), "no kind claims this path");
    for arguments in [&["check", "nowhere"][..], &["check", "good.yml", "--kind", "nope"]] {
        let ran = place.run(arguments).expect(2);
        assert!(ran.err.starts_with("workleaf: "), "{ran:?}");
    }
    assert!(!place.data().exists(), "offline");
}

#[test]
fn kinds_of_the_configuration_count() {
    let place = Place::new();
    place.write("config.yaml", "templates: [more]\n");
    place.write("more/kinds/recipe/schema.json", r#"{"type": "object", "required": ["title"]}"#);
    place.write("more/kinds/recipe/starter.yml", "title: Soup\n");
    let kind = "kind: recipe\nplural: recipes\ntitle: Recipe\ndescription: Food.\nfile: recipes/{name}.yml\n\
                schema: schema.json\nstarter: starter.yml\nindex:\n  title: text\n";
    place.write("more/kinds/recipe/kind.yaml", kind);
    place.write("recipes/soup.yml", "titel: Soup\n");
    let ran = place.run(&["check", "recipes"]).expect(1);
    assert!(ran.out.starts_with("recipes/soup.yml:1:1: "), "{ran:?}");
    // Without a recipe to read it by, the kinds themselves are wrong.
    place.write("more/kinds/recipe/kind.yaml", "kind: recipe\n");
    let ran = place.run(&["check", "recipes"]).expect(2);
    assert!(ran.err.contains("kind.yaml") || ran.err.contains("recipe"), "{ran:?}");
}
