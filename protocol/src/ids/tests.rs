//! Real codes, the same codes with one character broken, and anything at all.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::*;
use crate::calendar::CivilDay;

fn read<T: FromStr<Err = Malformed>>(text: &str) -> T {
    text.parse().unwrap_or_else(|why| panic!("{text} {why}"))
}

fn refused<T: FromStr<Err = Malformed> + Debug>(text: &str) -> Malformed {
    text.parse::<T>().expect_err(text)
}

fn division(text: &str) -> DivisionCode {
    read(text)
}

/// Without a limit, a length read from hostile bytes is allocated before it is believed.
const CONFIG: bincode::config::Configuration<
    bincode::config::LittleEndian,
    bincode::config::Varint,
    bincode::config::Limit<256>,
> = bincode::config::standard().with_limit::<256>();

fn packed<T: Serialize>(value: T) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, CONFIG).unwrap()
}

fn unpacked<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (value, read) = bincode::serde::decode_from_slice(bytes, CONFIG).ok()?;
    (read == bytes.len()).then_some(value)
}

/// Print and parse, pack and unpack.
fn survives<T>(value: &T)
where
    T: Display + FromStr<Err = Malformed> + Serialize + DeserializeOwned + PartialEq + Debug,
{
    assert_eq!(&read::<T>(&value.to_string()), value);
    assert_eq!(unpacked(&packed(value)).as_ref(), Some(value));
}

/// Another character in one place is noticed, whichever it is.
fn notices_any_single_error<T: FromStr<Err = Malformed> + Debug>(text: &str, alphabet: &str) {
    for (place, right) in text.char_indices() {
        for wrong in alphabet.chars().filter(|&wrong| wrong != right) {
            let mut broken = text.to_owned();
            broken.replace_range(place..=place, &wrong.to_string());
            refused::<T>(&broken);
        }
    }
}

mod divisions {
    use super::*;

    #[test]
    fn six_nine_and_twelve_digits_are_one_code() {
        for (texts, tier, significant) in [
            (["620700", "620700000", "620700000000"], Tier::City, "6207"),
            (["620702", "620702000", "620702000000"], Tier::County, "620702"),
            (["620702001", "620702001", "620702001000"], Tier::Township, "620702001"),
            (["620702001001"; 3], Tier::Village, "620702001001"),
        ] {
            for text in texts {
                assert_eq!(division(text), division(texts[2]));
            }
            assert_eq!(division(texts[2]).tier(), tier);
            assert_eq!(division(texts[2]).significant(), significant);
            assert_eq!(division(texts[2]).to_string(), texts[2]);
        }
    }

    #[test]
    fn what_is_no_code_says_why() {
        let length = |found| Malformed::Length { expected: "6, 9 or 12", found };
        assert_eq!(refused::<DivisionCode>(""), length(0));
        assert_eq!(refused::<DivisionCode>("62070200100"), length(11));
        assert_eq!(refused::<DivisionCode>("62070x"), Malformed::Character { place: 6, found: 'x' });
        assert_eq!(refused::<DivisionCode>("+20702"), Malformed::Character { place: 1, found: '+' });
        assert_eq!(refused::<DivisionCode>("62070２"), Malformed::Character { place: 6, found: '２' });
        assert_eq!(refused::<DivisionCode>("620000"), Malformed::AboveCity);
        assert_eq!(refused::<DivisionCode>("000000"), Malformed::Range { what: "division code" });
        assert_eq!(refused::<DivisionCode>("620702000001"), Malformed::NoTownship);
    }

    #[test]
    fn the_line_upwards() {
        let line: Vec<_> = division("620702001001").ancestors().map(|code| code.to_string()).collect();
        assert_eq!(line, ["620702001000", "620702000000", "620700000000"]);
        assert_eq!(division("620700").ancestors().count(), 0);
    }

    #[test]
    fn a_town_directly_under_its_city() {
        let (city, town, village) = (division("441900"), division("441900003000"), division("441900003001"));
        assert_eq!(town.tier(), Tier::Township);
        assert_eq!(town.parent(), Some(city));
        assert_eq!(village.ancestors().collect::<Vec<_>>(), [town, city]);
        assert!(city.covers(village));
    }

    #[test]
    fn a_division_covers_itself_and_what_is_inside() {
        let (county, town) = (division("620702"), division("620702111"));
        assert!(county.covers(county) && county.covers(town) && town.covers(division("620702111001")));
        assert!(!town.covers(county) && !town.covers(division("620702112")));
        assert!(!county.covers(division("620721100")));
    }

    #[test]
    fn tiers_by_name_and_depth() {
        for (depth, tier) in (0..).zip(Tier::ALL) {
            assert_eq!(tier.depth(), depth);
            survives(&tier);
        }
        assert_eq!(refused::<Tier>("City"), Malformed::UnknownTier);
        assert_eq!(unpacked::<Tier>(&packed(4_u8)), None);
    }

    #[test]
    fn a_number_that_is_no_code_is_not_unpacked() {
        for number in [0, 620_702, 620_000_000_000, 620_702_000_001, 1_000_000_000_000, u64::MAX] {
            assert_eq!(unpacked::<DivisionCode>(&packed(number)), None, "{number}");
        }
    }
}

mod halls {
    use super::*;

    #[test]
    fn main_hall_and_branch() {
        let main: HallId = read("620702001000");
        let branch: HallId = read("620702001000-01");
        assert_eq!(main, HallId::main(division("620702001")));
        assert_eq!(main.to_string(), "620702001000-00");
        assert_eq!((branch.serial(), branch.tier()), (1, Tier::Township));
        assert_eq!(branch.to_u64(), 62_070_200_100_001);
        assert!(main < branch);
        assert_eq!(packed(main), packed(62_070_200_100_000_u64));
    }

    #[test]
    fn one_way_to_write_a_branch() {
        for text in ["620702001000-1", "620702001000-001", "620702001000-", "620702001000--1"] {
            refused::<HallId>(text);
        }
        let range = Malformed::Range { what: "hall serial" };
        assert_eq!(HallId::new(division("620702"), 100), Err(range));
    }

    #[test]
    fn lives_and_clerks() {
        let first: HallAt = read("620702001000-00#1");
        assert_eq!((first.hall, first.incarnation), (read("620702001000"), 1));
        let clerk: ClerkId = read("620702001000-00/7");
        assert_eq!((clerk.hall, clerk.number, clerk.is_node()), (first.hall, 7, false));
        assert!(ClerkId::node(first.hall).is_node());
        for text in ["620702001000-00", "620702001000-00#", "620702001000-00#01", "620702001000-00#+1"] {
            refused::<HallAt>(text);
        }
        assert_eq!(refused::<HallAt>("620702001000-00#4294967296"), Malformed::Range { what: "incarnation" });
        assert_eq!(refused::<ClerkId>("620702001000-00/65536"), Malformed::Range { what: "clerk number" });
    }
}

mod bodies {
    use super::*;

    const REAL: [&str; 9] = [
        "12441500196720244T",
        "114401005799639727",
        "11440100007483180K",
        "11370800MB28559184",
        "11100000000013338W",
        "11430000006122244L",
        "11100000MB03271699",
        "91610800064834709T",
        "115113010833722043",
    ];

    #[test]
    fn real_codes_pass_both_checks() {
        for text in REAL {
            let body: BodyId = read(text);
            assert!(body.organisation_code_holds() && !body.is_illustrative(), "{text}");
            survives(&body);
        }
    }

    #[test]
    fn any_single_error_is_noticed() {
        for text in REAL {
            notices_any_single_error::<BodyId>(text, checks::USCC);
        }
        let check = Malformed::Check { expected: 'T', found: 'R' };
        assert_eq!(refused::<BodyId>("12441500196720244R"), check);
        let letter = Malformed::Character { place: 18, found: 't' };
        assert_eq!(refused::<BodyId>("12441500196720244t"), letter);
        assert_eq!(refused::<BodyId>("1244150019672024IT"), Malformed::Character { place: 17, found: 'I' });
        let length = Malformed::Length { expected: "18", found: 17 };
        assert_eq!(refused::<BodyId>("12441500196720244"), length);
    }

    #[test]
    fn an_organisation_check_may_fail_alone() {
        // The code of the second authority with one digit of the inner code changed and the outer check redone.
        let stem = "11440100579963982";
        let body: BodyId = read(&format!("{stem}{}", checks::uscc(stem)));
        assert!(!body.organisation_code_holds());
    }

    #[test]
    fn made_up_codes_are_well_formed_and_told_apart() {
        let made = BodyId::illustrative(division("620702001001"), 0);
        assert!(made.as_str().starts_with("11620702YYY00000"));
        assert!(BodyId::illustrative(division("620700"), 7).as_str().starts_with("11620700YYY00007"));
        for number in (0..=u16::MAX).step_by(97) {
            let made = BodyId::illustrative(division("620702"), number);
            assert!(made.organisation_code_holds() && made.is_illustrative());
            survives(&made);
        }
    }

    #[test]
    fn damaged_bytes_are_not_unpacked() {
        assert_eq!(unpacked::<BodyId>(&packed(*b"12441500196720244R")), None);
        assert_eq!(unpacked::<BodyId>(&packed([0xFF_u8; 18])), None);
    }
}

mod matters {
    use super::*;

    const IMPLEMENTATIONS: [&str; 4] = [
        "12441500196720244T3442199806003",
        "1144010057996397273440112035002",
        "11440100007483180K3440109014009",
        "11370800MB285591843370117002011",
    ];

    #[test]
    fn national_codes_by_shape() {
        for text in IMPLEMENTATIONS {
            let code: MatterCode = read(text);
            assert_eq!((code.shape(), code.level()), (MatterShape::Implementation, Some(3)));
            assert_eq!(code.body().unwrap().as_str(), &text[..18]);
            assert_eq!(code.base(), Some(&text[19..]));
            survives(&code);
            let handling: MatterCode = read(&format!("{text}01"));
            assert_eq!((handling.shape(), handling.base()), (MatterShape::Handling, code.base()));
            survives(&handling);
        }
        let base: MatterCode = read("442199806003");
        assert_eq!((base.shape(), base.base()), (MatterShape::Base, Some("442199806003")));
        assert_eq!((base.body(), base.level()), (None, None));
    }

    #[test]
    fn a_mistyped_national_code_is_no_local_code() {
        let check = Malformed::Check { expected: 'T', found: 'R' };
        assert_eq!(refused::<MatterCode>("12441500196720244R3442199806003"), check);
        assert_eq!(refused::<MatterCode>("12441500196720244R344219980600301"), check);
        let level = Malformed::Character { place: 19, found: '8' };
        assert_eq!(refused::<MatterCode>("12441500196720244T8442199806003"), level);
        let digit = Malformed::Character { place: 31, found: 'A' };
        assert_eq!(refused::<MatterCode>("12441500196720244T344219980600A"), digit);
    }

    #[test]
    fn local_codes_are_kept_as_written() {
        for text in ["511A0138000000-511602000000-000-115113010833722043", "x", "4421998060-3"] {
            let code: MatterCode = read(text);
            assert_eq!((code.shape(), code.as_str()), (MatterShape::Local, text));
            survives(&code);
        }
    }

    #[test]
    fn texts_that_break_tables_are_refused() {
        for text in ["a b", "a,b", "a\"b", "a'b", "a\nb", "a\u{7f}", "事项"] {
            assert!(matches!(refused::<MatterCode>(text), Malformed::Character { .. }), "{text}");
        }
        for found in [0, 51] {
            let length = Malformed::Length { expected: "1 to 50", found };
            assert_eq!(refused::<MatterCode>(&"x".repeat(found)), length);
        }
        assert_eq!(unpacked::<MatterCode>(&packed("a b")), None);
    }
}

mod cases {
    use super::*;

    fn number(hall: &str, boot: u32, sequence: u32) -> CaseNumber {
        CaseNumber::allocate(read(hall), boot, CivilDay::new(2026, 11, 24).unwrap(), sequence)
    }

    #[test]
    fn hashes_and_ids_are_hexadecimal() {
        let case = CaseId([0xAB; 16]);
        assert_eq!((case.to_string(), format!("{case:?}")), ("ab".repeat(16), "ab".repeat(4)));
        survives(&case);
        survives(&Digest([7; 32]));
        let length = |found| Malformed::Length { expected: "32", found };
        assert_eq!(refused::<CaseId>(&"a".repeat(31)), length(31));
        assert_eq!(refused::<CaseId>(&"a".repeat(33)), length(33));
        let upper = Malformed::Character { place: 1, found: 'A' };
        assert_eq!(refused::<CaseId>(&"A".repeat(32)), upper);
        refused::<Digest>(&"g".repeat(64));
    }

    #[test]
    fn a_number_says_where_and_when() {
        let number = number("620702001001-00#1", 0x3_CC4D, 42);
        assert_eq!(number.to_string(), "620702001001-00-01-7K2D-20261124-00042-3");
        assert_eq!((number.hall(), number.incarnation()), (read("620702001001"), 1));
        assert_eq!(number.hall_at(), read("620702001001-00#1"));
        assert_eq!(number.day().to_string(), "2026-11-24");
        survives(&number);
    }

    #[test]
    fn the_longest_number_fits_the_tables() {
        let longest = number("620702001001-99#4294967295", u32::MAX, u32::MAX);
        assert_eq!(longest.to_string().len(), CaseNumber::LENGTH_MAX);
        survives(&longest);
    }

    #[test]
    fn any_single_error_is_noticed() {
        let number = number("620702001001-01#33", 0xF_1234, 42).to_string();
        notices_any_single_error::<CaseNumber>(&number, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-");
    }

    #[test]
    fn one_way_to_write_a_number() {
        let right = number("620702001001-00#1", 5, 42).to_string();
        for (from, to) in [("-01-", "-1-"), ("-01-", "-001-"), ("-0005-", "-005-"), ("-00042-", "-42-")] {
            assert!(right.contains(from));
            let stem = right.replace(from, to);
            let stem = &stem[..stem.len() - 2];
            refused::<CaseNumber>(&format!("{stem}-{}", checks::mod_37_36(stem)));
        }
        refused::<CaseNumber>(&right.to_lowercase());
        refused::<CaseNumber>(&right.replace("-2026", "2026-"));
        refused::<CaseNumber>(&format!("{right}0"));
        let beyond = "620702001001-00-01-0005-20261131-00042";
        let beyond = format!("{beyond}-{}", checks::mod_37_36(beyond));
        assert_eq!(refused::<CaseNumber>(&beyond), Malformed::Date);
    }

    #[test]
    fn a_wrong_check_character_is_named() {
        let right = number("620702001001-00#1", 5, 42).to_string();
        let (stem, expected) = (&right[..right.len() - 1], right.chars().last().unwrap());
        let found = if expected == '0' { '1' } else { '0' };
        assert_eq!(refused::<CaseNumber>(&format!("{stem}{found}")), Malformed::Check { expected, found });
    }

    #[test]
    fn the_check_is_that_of_real_licences() {
        for (text, check) in [
            ("11100000000013338W011.11430000006122244L.20230000403.002", 'S'),
            ("11100000000013338W032.11220000013544541J.2430599.001", 'F'),
            ("11100000MB03271699022.340100.000000016.001", '9'),
            ("11100000000013338W009.11330105002500287C.2025052201.002", '0'),
            ("11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001", 'D'),
            ("11100000000013338W050.91610800064834709T.2023000001.001", '2'),
        ] {
            assert_eq!(checks::mod_37_36(text), check, "{text}");
        }
    }
}

mod citizens {
    use super::*;

    #[test]
    fn examples_of_the_standard() {
        for text in ["11010519491231002X", "440524188001010014"] {
            let citizen: CitizenId = read(text);
            assert_eq!(citizen.reveal(), text);
            assert_eq!(format!("{citizen:?}"), "CitizenId(***)");
            assert_eq!(unpacked(&packed(&citizen)), Some(citizen));
            notices_any_single_error::<CitizenId>(text, "0123456789X");
        }
    }

    #[test]
    fn what_is_no_number_says_why() {
        let check = Malformed::Check { expected: 'X', found: '0' };
        assert_eq!(refused::<CitizenId>("110105194912310020"), check);
        let lower = Malformed::Character { place: 18, found: 'x' };
        assert_eq!(refused::<CitizenId>("11010519491231002x"), lower);
        for stem in ["11010519490231002", "11010500491231002", "11010521001231002"] {
            assert_eq!(refused::<CitizenId>(&format!("{stem}{}", checks::citizen(stem))), Malformed::Date);
        }
        let old = Malformed::Length { expected: "18", found: 15 };
        assert_eq!(refused::<CitizenId>("110105491231002"), old);
        assert_eq!(unpacked::<CitizenId>(&packed(*b"110105194912310020")), None);
    }
}

fn halls() -> impl Strategy<Value = HallId> {
    ("[1-9][0-9][0-9][1-9][0-9]{2}([0-9]{3}([0-9]{3})?)?", 0..100_u8)
        .prop_filter_map("a village needs a township", |(code, serial)| {
            HallId::new(code.parse().ok()?, serial).ok()
        })
}

proptest! {
    #[test]
    fn any_id_survives(hall in halls(), incarnation: u32, number: u16, bytes: [u8; 32]) {
        survives(&hall.division());
        survives(&hall);
        survives(&HallAt { hall, incarnation });
        survives(&ClerkId { hall, number });
        survives(&BodyId::illustrative(hall.division(), number));
        survives(&Digest(bytes));
        prop_assert_eq!(HallId::from_u64(hall.to_u64()), Ok(hall));
    }

    #[test]
    fn any_case_number_survives(hall in halls(), incarnation: u32, boot: u32, day in 0..2_932_896, sequence: u32) {
        let day = CivilDay::try_from(day).unwrap();
        let number = CaseNumber::allocate(HallAt { hall, incarnation }, boot, day, sequence);
        prop_assert!(number.to_string().len() <= CaseNumber::LENGTH_MAX);
        survives(&number);
    }

    #[test]
    fn the_parent_is_the_nearest_that_covers(hall in halls()) {
        let code = hall.division();
        for above in code.ancestors() {
            prop_assert!(above.covers(code) && !code.covers(above) && above.tier() < code.tier());
            survives(&above);
        }
        prop_assert_eq!(code.parent().is_none(), code.tier() == Tier::City);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
        reads_or_refuses(&text);
    }

    #[test]
    fn any_likely_text_is_read_or_refused(text in "[0-9A-Z/#-]{0,52}") {
        reads_or_refuses(&text);
    }

    #[test]
    fn any_bytes_are_unpacked_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        unpacked::<HallId>(&bytes).iter().for_each(survives);
        unpacked::<BodyId>(&bytes).iter().for_each(survives);
        unpacked::<MatterCode>(&bytes).iter().for_each(survives);
        unpacked::<CaseNumber>(&bytes).iter().for_each(survives);
        prop_assert!(unpacked::<CitizenId>(&bytes).is_none_or(|citizen| read::<CitizenId>(citizen.reveal()) == citizen));
    }
}

fn reads_or_refuses(text: &str) {
    text.parse::<DivisionCode>().iter().for_each(survives);
    text.parse::<HallId>().iter().for_each(survives);
    text.parse::<HallAt>().iter().for_each(survives);
    text.parse::<ClerkId>().iter().for_each(survives);
    text.parse::<BodyId>().iter().for_each(survives);
    text.parse::<MatterCode>().iter().for_each(survives);
    text.parse::<CaseNumber>().iter().for_each(survives);
    text.parse::<CaseId>().iter().for_each(survives);
    text.parse::<CitizenId>().iter().for_each(|citizen| assert_eq!(citizen.reveal(), text));
}
