//! The website.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::path::Path;

use hallmesh_protocol::ids::HallId;

use super::super::site::{HallEntry, Site, write};
use super::*;

fn pages(bodies: &[Body]) -> BTreeMap<String, String> {
    let hall =
        |code: &str, name: &str| HallEntry { hall: code.parse::<HallId>().unwrap(), name: name.to_owned() };
    let halls = [
        hall("620700000000-01", "张掖市政务服务中心"),
        hall("620702000000-01", "甘州区政务服务中心"),
        hall("620702203200-01", "苗家堡村便民服务站"),
    ];
    let mut pages = BTreeMap::new();
    let site = Site { title: "张掖市<政务>服务事项", date: "2026-11-30", bodies, halls: &halls };
    let mut put = |path: &str, text: &str| -> Result<(), Infallible> {
        assert!(pages.insert(path.to_owned(), text.to_owned()).is_none(), "{path}");
        Ok(())
    };
    let count = write(&site, &mut put).unwrap();
    assert_eq!(count, pages.len());
    pages
}

fn is_page(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|ending| ending == "html")
}

/// The targets of `href` and `src`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    ["href=\"", "src=\""]
        .into_iter()
        .flat_map(|mark| text.split(mark).skip(1))
        .filter_map(|rest| rest.split('"').next())
}

#[test]
fn there_is_a_guide_for_each_matter_and_every_link_leads_somewhere() {
    let pages = pages(&sample_bodies().unwrap());
    assert_eq!(pages.keys().filter(|path| path.starts_with("m/")).count(), 144);
    for (path, text) in pages.iter().filter(|(path, _)| is_page(path)) {
        for link in links(text) {
            let to = link.strip_prefix("../").map(str::to_owned);
            let dir = Path::new(path).parent().unwrap().display().to_string();
            let beside = if dir.is_empty() { link.to_owned() } else { format!("{dir}/{link}") };
            assert!(pages.contains_key(&to.unwrap_or(beside)), "{path}: {link}");
        }
        assert!(!text.contains("://"), "{path} loads from elsewhere");
        assert!(!text.contains(">site."), "{path} lacks a text");
    }
    let guide = &pages["m/ZYL-C-001.html"];
    for wanted in [
        "种畜禽生产经营许可证核发",
        "中华人民共和国畜牧法",
        "20 个工作日",
        "营业执照",
        "非官方",
        "辖区内的乡级大厅",
    ] {
        assert!(guide.contains(wanted), "{wanted}: {guide}");
    }
    assert!(pages["shared.html"].contains("动物防疫条件合格证") && pages["halls.html"].contains("苗家堡村"));
    assert!(pages["delegations.html"].contains("2030-12-31"));
}

#[test]
fn whatever_stands_in_a_list_is_text_on_the_page() {
    let mut bodies = sample_bodies().unwrap();
    let evil = "<script>alert(1)</script>\"'&";
    for body in &mut bodies {
        if let Body::Matter(it) = body {
            (it.name, it.body_name, it.basis, it.source) =
                (evil.into(), evil.into(), evil.into(), evil.into());
            it.result.name = evil.into();
            it.materials.truncate(1);
            it.materials.iter_mut().for_each(|it| it.name = evil.into());
            it.code = format!("..{}/..<A", &it.code.as_str()[3..]).parse().unwrap();
        } else if let Body::Delegation(it) = body {
            it.source = evil.into();
        }
    }
    let pages = pages(&bodies);
    for (path, text) in pages.iter().filter(|(path, _)| is_page(path)) {
        assert!(!text.contains("<script>") && !text.contains("\"'&\""), "{path}");
        assert!(!path.contains("..") && !path.contains('<'), "{path}");
        assert!(links(text).all(|link| !link.trim_start_matches("../").contains("..")), "{path}");
    }
    let lower: BTreeSet<_> = pages.keys().map(|path| path.to_lowercase()).collect();
    assert_eq!(lower.len(), pages.len());
}
