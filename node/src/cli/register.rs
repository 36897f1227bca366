//! The register of divisions: whether a hall's code and name belong together. Codes are renumbered, and
//! some towns have each other's code in another register, so a code alone is never believed.

use std::path::Path;

use hallmesh_protocol::ids::HallId;

use crate::lists::{Mismatch, Register, RegisterError, sample};
use crate::ops::Problem;

/// Refuses a hall whose name is not that of the division with its code. Without a register of its own, a hall
/// of the sample city is compared with the one that comes with the program; any other is taken as it is.
pub(super) fn compare(file: Option<&Path>, hall: HallId, name: &str) -> Result<(), Problem> {
    let (register, file) = match file {
        Some(file) => (Register::read(file), file),
        None if sample::city().covers(hall.division()) => {
            (Register::read_text(sample::DIVISIONS), Path::new("divisions.csv"))
        }
        None => return Ok(()),
    };
    let register = register.map_err(|why| unusable(file, &why))?;
    register.check_hall(hall.division(), name).map_err(|why| differs(&why))
}

fn differs(why: &Mismatch) -> Problem {
    Problem { code: why.code().to_owned(), params: why.params() }
}

fn unusable(file: &Path, why: &RegisterError) -> Problem {
    match why {
        RegisterError::Unreadable { file, source } => {
            Problem::new("file.unreadable").with("file", file.display()).with("reason", source)
        }
        RegisterError::Refused { findings } => {
            let line = findings.first().map_or(1, |finding| finding.line);
            Problem::new("register.malformed")
                .with("file", file.display())
                .with("line", line)
                .with("count", findings.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hall: &str, name: &str) -> Option<Problem> {
        let hall: HallId = hall.parse().unwrap();
        let register = Register::read_text(sample::DIVISIONS).unwrap();
        register.check_hall(hall.division(), name).err().map(|why| differs(&why))
    }

    #[test]
    fn a_hall_is_named_after_its_division() {
        assert_eq!(check("620702203200-00", "苗家堡村便民服务站"), None);
    }

    #[test]
    fn swapped_town_codes_are_found_and_both_towns_are_named() {
        let problem = check("620702112000-00", "明永镇便民服务中心").unwrap();
        assert_eq!(problem.code, "lists.division_swapped");
        assert_eq!(problem.params["name_at_code"], "长安镇");
        assert_eq!(problem.params["candidate_code"], "620702111000");
    }
}
