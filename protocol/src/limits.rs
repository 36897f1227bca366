//! Every bound of the protocol, by name. A bound that is not here does not exist.

/// Bytes of one frame on a line, header excluded.
pub const FRAME_MAX: usize = 1 << 20;
/// Bytes of one signed record.
pub const RECORD_MAX: usize = 64 << 10;
/// Bytes of records in one `Records` message.
pub const RECORDS_BYTES_MAX: usize = 512 << 10;
/// Records in one `Records` message.
pub const RECORDS_MAX: usize = 1_024;
/// Bytes of records that one question is answered with, over all its messages.
pub const ANSWER_BYTES_MAX: usize = 8 << 20;
/// Messages of records that one question for pages is answered with.
pub const PAGES_AT_ONCE: usize = 8;
/// Records that came in one message and are still passed on at once; larger batches are catch-up.
pub const PUSH_MAX: usize = 16;
/// Signatures under one signed thing: as many root holders as a city may have.
pub const SIGNATURES_MAX: usize = 16;
/// Halls of which a node remembers how they started last.
pub const STARTS_MAX: usize = 1_024;
/// Earlier starts of each of them that it remembers.
pub const BOOTS_MAX: usize = 16;
/// Nobody is warned of two machines that live as one life so long after both were last seen.
pub const TWINS_LAPSE_MS: u64 = 30 * 24 * 60 * 60 * 1_000;
/// Counties that a root policy names.
pub const COUNTIES_MAX: usize = 64;
/// Milliseconds within which the counties' words about the city's hall have to be said in order to count together.
pub const VOICES_TOGETHER_MS: u64 = 30 * 24 * 60 * 60 * 1_000;
/// Characters of a name a person reads.
pub const NAME_MAX: usize = 200;
/// Addresses of one hall.
pub const ADDRESSES_MAX: usize = 8;
/// Bytes of one address.
pub const ADDRESS_MAX: usize = 200;
/// Materials of one matter.
pub const MATERIALS_MAX: usize = 64;
/// Items of one bundle, and tasks of one application for it: one bit each fits a number of 32.
pub const BUNDLE_ITEMS_MAX: usize = 32;
/// Questions of one bundle.
pub const BUNDLE_QUESTIONS_MAX: usize = 32;
/// Answers to one question of a bundle, and conditions of one item.
pub const BUNDLE_OPTIONS_MAX: usize = 16;
/// Fields of a bundle's form.
pub const BUNDLE_FIELDS_MAX: usize = 200;
/// Characters of the name of a question, an answer or a field of a bundle.
pub const BUNDLE_NAME_MAX: usize = 32;
/// Bytes of a sealed body, the overhead of sealing included.
pub const BODY_MAX: usize = 16 << 10;
/// Events in one case log.
pub const EVENTS_MAX: u32 = 256;
/// Bytes of a case log with bodies and wraps; an event that would pass it is refused.
pub const CASE_BYTES_MAX: usize = 768 << 10;
/// Events that a clerk's act leaves free, for the hand-overs that follow from it.
pub const EVENTS_RESERVE: u32 = 8;
/// Events that acts leave free by which a case can go on and on, for those that lead to its end.
pub const EVENTS_TO_END: u32 = 40;
/// Bytes that a clerk's act leaves free for hand-overs.
pub const CASE_BYTES_RESERVE: usize = 16 << 10;
/// Bytes that acts leave free by which a case can go on and on.
pub const CASE_BYTES_TO_END: usize = 96 << 10;
/// Bytes of an encoded statement.
pub const STATEMENT_MAX: usize = 8 << 10;
/// Bytes of what is sealed in a statement, the overhead of sealing included.
pub const STATEMENT_SEALED_MAX: usize = 4 << 10;
/// Halls that a statement's own key is wrapped to.
pub const STATEMENT_WRAPS_MAX: usize = 2;
/// Statements about one case that wait here for an answer.
pub const STATEMENTS_WAITING_MAX: usize = 16;
/// Statements about one case that were answered, after which no more are taken in.
pub const STATEMENTS_OF_CASE_MAX: usize = 32;
/// Statements of one hall that wait here.
pub const STATEMENTS_OF_HALL_MAX: u64 = 512;
/// Statements that wait here in all.
pub const STATEMENTS_MAX: u64 = 4_096;
/// Milliseconds after which a hall asks again what has become of what it has stated: so a statement outlives the disk of the
/// hall that keeps it.
pub const RESTATE_MS: u64 = 3_600_000;
/// Keys that one case may have after its first, each because a machine that could open the one before was stolen.
pub const CASE_KEYS_MAX: usize = 8;
/// Milliseconds for which whoever goes on for a life that has ended waits for the present key of a case, before it is given
/// another one.
pub const KEY_WAIT_MS: u64 = 3 * 24 * 3_600_000;
/// Cases for which a node asks for a new key in one step.
pub const RENEWALS_AT_ONCE: usize = 64;
/// Milliseconds between such steps.
pub const RENEWALS_APART_MS: u64 = 1_000;
/// Wrapped keys of one case.
pub const WRAPS_MAX: usize = 128;
/// How many of them are kept free for what a hall wraps itself: whoever carries a case could add others.
pub const WRAPS_OWN: usize = 32;
/// Keys that one command of two persons gives to other halls.
pub const KEYS_GIVEN_MAX: usize = 1_000;
/// Events kept of one case that are no part of its log.
pub const ORPHANS_MAX: usize = 64;
/// Receipts kept in memory that came before the case they are about.
pub const EARLY_RECEIPTS_MAX: usize = 256;
/// Hops a letter may take before it is dropped and sent again by its writer.
pub const HOPS_MAX: u8 = 12;
/// Letters a relay keeps for one destination.
pub const RELAY_LETTERS_MAX: u64 = 10_000;
/// Letters a relay keeps that came from one neighbour: three of them together do not fill a destination's room. Those for
/// one destination are never more than what is left of this.
pub const RELAY_FROM_LETTERS_MAX: u64 = 3_000;
/// Bytes of letters that came from one neighbour, after which no more are taken from it.
pub const RELAY_FROM_BYTES_MAX: u64 = 512 << 20;
/// Bytes of one file on a stick.
pub const PARCEL_MAX: usize = FRAME_MAX + (64 << 10);
/// Bytes of what stands on a parcel.
pub const PARCEL_COVER_MAX: usize = 48 << 10;
/// Letters in one parcel.
pub const PARCEL_LETTERS_MAX: usize = 1_024;
/// Parcels to one destination that wait for the word that they were taken in; older ones are forgotten.
pub const PARCELS_OUT_MAX: usize = 256;
/// Series of parcels of one hall of which is known which were taken in.
pub const SERIES_MAX: usize = 32;
/// Ranges of one such series.
pub const RANGES_MAX: usize = 64;
/// Parcels with a hall's lists on one stick; its directory goes whole.
pub const STICK_LISTS_MAX: u32 = 256;
/// Letters under way to one destination at once.
pub const LETTERS_WINDOW: usize = 64;
/// Letters sent in one step; what is due beyond that goes in the next, after whatever else has come.
pub const LETTERS_AT_ONCE: usize = 256;
/// Days after which a letter of this hall's own that nobody has answered raises an alarm, if nothing else is set.
pub const UNDELIVERABLE_DAYS: u32 = 3;
/// After so many days without an answer another hall keeps the copies of a mirror.
pub const MIRROR_SILENT_DAYS: u32 = 3;
/// Copies for silent mirrors looked at with one heartbeat, for each of them.
pub const SILENT_COPIES_MAX: usize = 256;
/// Likewise for a letter of others; a relay gives it up after [`RELAY_KEEP_MS`].
pub const UNDELIVERABLE_RELAYED_DAYS: u32 = 7;
/// Milliseconds a relay keeps a letter.
pub const RELAY_KEEP_MS: u64 = 30 * 24 * 3_600_000;
/// Milliseconds before the first repetition of a letter.
pub const RETRY_FIRST_MS: u64 = 2_000;
/// Milliseconds after which the oldest letters of a destination that answers are repeated, however many newer ones it
/// answers meanwhile.
pub const REPEAT_LATEST_MS: u64 = 4 * RETRY_FIRST_MS;
/// Milliseconds between repetitions of a letter at the most.
pub const RETRY_MAX_MS: u64 = 60_000;
/// Milliseconds by which clocks of halls may differ: legal time is counted in days, and people set clocks.
pub const CLOCK_OFF_MAX_MS: u64 = 30 * 60_000;
/// Milliseconds for which a hall and its neighbours show the same time before it is their high-water time.
pub const HIGH_WATER_HOLD_MS: u64 = 6 * 3_600_000;
/// Milliseconds after which the high-water time is written anew.
pub const HIGH_WATER_STEP_MS: u64 = 3_600_000;
/// Milliseconds by which a hall in doubt knows better what time it is, before people hear of it again.
pub const CLOCK_TOLD_MS: u64 = 60_000;
/// Neighbours whose clocks are listened to.
pub const TIME_WITNESSES_MAX: usize = 64;
/// Milliseconds between heartbeats.
pub const HEARTBEAT_MS: u64 = 15_000;
/// Milliseconds until an exchange of lists that got no answer is given up.
pub const EXCHANGE_TIMEOUT_MS: u64 = 20_000;
/// Milliseconds for which one neighbour's whole set is read; then it is another one's turn to give the rest.
pub const READING_TURN_MS: u64 = 60_000;
/// Sketches of a space kept in memory for the next question about it, at 56 bytes a record; each for as long as an
/// exchange waits for an answer.
pub const SKETCHES_MAX: usize = 2;
/// Records that are gathered for one neighbour, whole or by name, before comparing is cheaper; and names in one
/// `Announce` or `Pull`.
pub const NEWS_MAX: usize = 256;
/// Milliseconds for which news is gathered after some was told.
pub const NEWS_REST_MS: u64 = 50;
/// Milliseconds after which what a neighbour has named is asked for, if it has not come along the tree.
pub const PULL_AFTER_MS: u64 = 200;
/// Milliseconds after which it is asked for at another one that has named it.
pub const PULL_AGAIN_MS: u64 = 2_000;
/// Names of records that neighbours have and this hall lacks, kept at once.
pub const ANNOUNCED_MAX: usize = 4_096;
/// Neighbours kept for each of them.
pub const ANNOUNCERS_MAX: usize = 3;
/// Short ids in one `Want`.
pub const WANTS_MAX: usize = 4_096;
/// Neighbours a node keeps a line to by its own wish.
pub const NEIGHBOURS_MAX: usize = 16;
/// Acts of clerks that may be under way at once; more are refused until older ones have run out.
pub const ACTS_REMEMBERED: usize = 4_096;
/// Milliseconds for which a clerk's signed act is good, and by which its clock may be ahead.
pub const ACT_GOOD_MS: u64 = 300_000;
/// Lives a hall may have: each keeps its charter in the directory for ever.
pub const LIVES_MAX: u32 = 1_000;
/// Rows one page of a query returns.
pub const PAGE_MAX: usize = 1_000;
/// Inputs that one half of a recording holds at the most, whatever is asked for.
pub const RECORDED_INPUTS_MAX: u64 = 100_000;
/// Bytes of one half of a recording after which the other half is begun anew. One that grows to twice as many
/// within a batch is given up.
pub const RECORDED_BYTES_MAX: usize = 8 << 20;
/// Bytes of one part of a recording's file.
pub const RECORDED_PART_MAX: usize = FRAME_MAX * 2;
/// Bytes of a recording's file: two halves, each part with its length.
pub const RECORDING_MAX: usize = RECORDED_BYTES_MAX * 5;
/// Neighbours that hear with one heartbeat how far a hall's log has come.
pub const TOLD_A_BEAT_MAX: usize = 16;
/// Hashes of one proof about a Merkle log: two for each level of the largest one.
pub const PROOF_PATH_MAX: usize = 128;
/// Bytes of a proof that an event stands in a log, its cosignatures included.
pub const PROOF_BYTES_MAX: usize = 64 << 10;
/// Records that prove forks of one life, at the most.
pub const FORKS_OF_LIFE_MAX: u8 = 64;
/// Clerks of one hall.
pub const CLERKS_MAX: u16 = 1_000;

const _: () = {
    assert!(CASE_BYTES_MAX < FRAME_MAX, "a letter with a whole case fits one frame");
    assert!(RECORDS_BYTES_MAX + RECORD_MAX < FRAME_MAX, "a batch of records fits one frame");
    assert!(BODY_MAX * 4 < CASE_BYTES_MAX, "a case holds several full bodies");
    assert!(WRAPS_MAX * 1_300 * 4 < CASE_BYTES_MAX, "most of a case's room is for its log");
    assert!(RECORDS_BYTES_MAX * PAGES_AT_ONCE <= ANSWER_BYTES_MAX, "pages are an answer like others");
    assert!(RETRY_FIRST_MS < RETRY_MAX_MS, "back-off grows");
    assert!(RELAY_FROM_LETTERS_MAX * 3 < RELAY_LETTERS_MAX, "no neighbour fills a destination's room");
    assert!(SERIES_MAX * RANGES_MAX * 16 + SERIES_MAX * 32 < PARCEL_COVER_MAX, "all ranges fit a cover");
    assert!(LETTERS_WINDOW <= LETTERS_AT_ONCE, "a destination's turn fits one step");
};
