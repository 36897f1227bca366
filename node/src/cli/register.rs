//! The register of divisions: whether a hall's code and name belong together. Codes are renumbered, and
//! some towns have each other's code in another register, so a code alone is never believed.

use std::path::Path;

use hallmesh_protocol::ids::HallId;

use super::files;
use crate::ops::Problem;

/// What the statistical table puts behind a village's name and a hall's sign does not.
const ENDINGS: [&str; 5] = ["村民委员会", "居民委员会", "社区居委会", "居委会", "委员会"];
const CODE: &str = "code12";
const NAME: &str = "name";

/// Refuses a hall whose name is not that of the division with its code.
pub(super) fn compare(file: &Path, hall: HallId, name: &str) -> Result<(), Problem> {
    let text = files::read(file)?;
    check(&text, &file.display().to_string(), hall, name)
}

fn check(text: &str, file: &str, hall: HallId, name: &str) -> Result<(), Problem> {
    let divisions = read(text).ok_or_else(|| Problem::new("register.malformed").with("file", file))?;
    let code = hall.division().to_string();
    let Some((_, listed)) = divisions.iter().find(|(listed, _)| *listed == code) else {
        return Err(Problem::new("register.unknown").with("file", file).with("code", code));
    };
    if name.contains(stem(listed)) {
        return Ok(());
    }
    Err(Problem::new("register.differs").with("code", code).with("name", name).with("listed", listed))
}

/// Codes and names; none if the file has no such columns.
fn read(text: &str) -> Option<Vec<(String, String)>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().ok()?.clone();
    let column = |name: &str| headers.iter().position(|header| header.trim() == name);
    let (code, name) = (column(CODE)?, column(NAME)?);
    let row = |row: Result<csv::StringRecord, csv::Error>| {
        let row = row.ok()?;
        Some((row.get(code)?.trim().to_owned(), row.get(name)?.trim().to_owned()))
    };
    reader.records().map(row).collect()
}

fn stem(name: &str) -> &str {
    let ending = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
    ending.filter(|stem| !stem.is_empty()).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTER: &str = "tier,code12,parent12,name,mca_code12,note\r\n\
        town,620702111000,620702000000,明永镇,620702112000,\r\n\
        town,620702112000,620702000000,长安镇,620702111000,\r\n\
        village,620702203200,620702203000,苗家堡村村民委员会,,\r\n";

    fn code_of(hall: &str, name: &str) -> Option<String> {
        check(REGISTER, "x", hall.parse().unwrap(), name).err().map(|problem| problem.code)
    }

    #[test]
    fn a_hall_is_named_after_its_division() {
        assert_eq!(code_of("620702203200-00", "苗家堡村便民服务站"), None);
        assert_eq!(code_of("620702111000-00", "明永镇便民服务中心"), None);
    }

    #[test]
    fn swapped_town_codes_are_found() {
        assert_eq!(code_of("620702112000-00", "明永镇便民服务中心").as_deref(), Some("register.differs"));
    }

    #[test]
    fn a_code_that_is_not_listed_is_refused() {
        assert_eq!(code_of("620702999000-00", "明永镇便民服务中心").as_deref(), Some("register.unknown"));
    }

    #[test]
    fn a_file_without_the_columns_is_no_register() {
        let problem = check("a,b\n1,2\n", "x", "620702111000-00".parse().unwrap(), "x").unwrap_err();
        assert_eq!(problem.code, "register.malformed");
    }
}
