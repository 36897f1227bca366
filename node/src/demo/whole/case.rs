//! One case from the farthest village to the city and back.

use std::time::{Duration, Instant};

use hallmesh_protocol::cases::{Deed, State};
use hallmesh_protocol::ids::MatterCode;

use super::{CaseReport, Told};
use crate::demo::city::{Member, unexpected};
use crate::demo::patience::until;
use crate::demo::stories;
use crate::ops::{Answer, Ask, Content, Problem};

/// A matter of the sample lists that any village takes in and the city decides.
const MATTER: &str = "ZYL-C-001";
/// Case that did not get where it should.
const LATE: &str = "demo.case_did_not_arrive";

/// Plays it; the hall that delivers has the whole log in the end.
pub(super) async fn there_and_back(
    village: &Member,
    city: &Member,
    told: &Told<'_>,
) -> Result<CaseReport, Problem> {
    let matter: MatterCode = MATTER.parse().map_err(|_malformed| unexpected())?;
    let content = Content::one("applicant", "示例申请人");
    let ask = Ask::Receive { matter, place: village.hall.division(), content };
    let begun = Instant::now();
    let Answer::Received(received) = village.ask_as_clerk(&ask).await? else { return Err(unexpected()) };
    let number = received.number.clone();
    told.case("demo.city_received", &[("hall", &village.name), ("number", &number)]);
    in_hand(city, &number, State::Received).await?;
    let there = begun.elapsed();
    told.case(
        "demo.city_there",
        &[("hall", &city.name), ("number", &number), ("ms", &ms(there).to_string())],
    );
    act(city, &number, Deed::Accept).await?;
    let decided = Instant::now();
    act(city, &number, Deed::Decide { granted: true, certificate: false }).await?;
    in_hand(village, &number, State::Decided).await?;
    let back = decided.elapsed();
    until(LATE, async || match act(village, &number, Deed::Deliver).await {
        Ok(()) => Ok(Some(())),
        // The second hall's countersignature is still under way.
        Err(problem) if problem.code == "case.not_countersigned" => Ok(None),
        Err(problem) => Err(problem),
    })
    .await?;
    told.case(
        "demo.city_back",
        &[("hall", &village.name), ("number", &number), ("ms", &ms(back).to_string())],
    );
    Ok(CaseReport {
        number,
        from: village.hall.to_string(),
        from_name: village.name.clone(),
        to: city.hall.to_string(),
        there_ms: ms(there),
        back_ms: ms(back),
        verified: false,
    })
}

/// Whole milliseconds.
pub(super) fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

async fn act(member: &Member, number: &str, deed: Deed) -> Result<(), Problem> {
    let ask = Ask::Record { case: number.to_owned(), deed, content: Content::one("note", "示例") };
    member.ask_as_clerk(&ask).await.map(drop)
}

async fn in_hand(member: &Member, number: &str, state: State) -> Result<(), Problem> {
    until(LATE, async || {
        let found = stories::case(member, number).await?;
        Ok(found.filter(|case| case.stage == "custodian" && case.state == state).map(drop))
    })
    .await
}
