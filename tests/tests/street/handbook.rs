//! The drills of the handbook, as they are written in both languages.

use std::fs;
use std::path::Path;

/// Where a command is typed, as a comment above it says in either language.
const PLACES: [(&str, &str, &str); 6] = [
    ("# at the hall above", "# 在上级大厅", "above"),
    ("# on the new machine", "# 在新机器上", "new"),
    ("# at the hall that goes on", "# 在接管的大厅", "heir"),
    ("# at the root", "# 在根密钥机器上", "root"),
    ("# at each county", "# 在每个县区", "county"),
    ("# at any hall", "# 在任一大厅", "any"),
];

/// The commands of a numbered section, each with the place it is typed at. Both handbooks tell the same.
pub(crate) fn commands(number: u8) -> Vec<(&'static str, String)> {
    let [english, chinese] = ["README.md", "README.zh-CN.md"].map(|readme| written(readme, number));
    assert_eq!(english, chinese, "the handbooks differ");
    english
}

fn written(readme: &str, number: u8) -> Vec<(&'static str, String)> {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(readme)).unwrap();
    let head = format!("{number}. ");
    let section = text.split("\n## ").find(|section| section.starts_with(&head)).expect("a section");
    let (mut commands, mut place, mut fenced) = (Vec::new(), None, false);
    for line in section.lines().map(str::trim) {
        let named = PLACES.iter().find(|(english, chinese, _)| [*english, *chinese].contains(&line));
        match (line, named) {
            ("```sh", _) => (fenced, place) = (true, None),
            ("```", _) => fenced = false,
            (_, Some((_, _, named))) => place = Some(*named),
            (command, None) if fenced && !command.is_empty() => {
                let command = command.strip_prefix("sudo -u hallmesh ").unwrap_or(command);
                let place = place.unwrap_or_else(|| panic!("nobody knows where to type {command}"));
                commands.push((place, command.replace("指纹", "FINGERPRINT")));
            }
            _ => {}
        }
    }
    commands
}
