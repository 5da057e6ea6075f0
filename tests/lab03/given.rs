//! The code that is given, so that a red test of a step is never its fault.

use lab03::crash::{
    BATCH_RECORDS, Crash, CrashLine, CrashTable, Crashing, Effect, Memory, RECORDS, Stopped,
    crash_table,
};
use lab03::guarantee::Effects;
use lab03::progress::Offsets;
use testkit::rule;

#[tokio::test]
async fn given_a_loop_is_crashed_behind_the_call_that_was_named() {
    let mut effects = Crashing::new(Memory::unread(), Crash::AfterCall(2));
    let records = effects.poll().await.expect("the first call is carried out");
    rule("A poll gives a batch.").same(records.len(), BATCH_RECORDS);
    rule("The second call is carried out.").same(effects.process(&records[0]), Ok((0, 100)));
    rule("Behind it the loop is over.").same(effects.is_over(), true);
    let late = effects.commit(&Offsets::from([(0, 110)])).await;
    rule("A call behind the crash fails.").same(late, Err(Stopped::Crash));
    rule("It is not carried out.").same(effects.inner().committed().clone(), Offsets::new());
    rule("The calls are noted.").same(effects.calls(), &[Effect::Poll, Effect::Process]);
}

#[tokio::test]
async fn given_a_restart_reads_on_from_the_commit() {
    let mut memory = Memory::unread();
    let first = memory.poll().await.expect("nothing in memory fails");
    memory.commit(&Offsets::from([(0, 105)])).await.expect("nothing in memory fails");
    memory.restart();
    let second = memory.poll().await.expect("nothing in memory fails");
    let places = |records: &[lab03::guarantee::Record]| {
        records.iter().take(2).map(|r| (r.partition, r.offset)).collect::<Vec<(i32, i64)>>()
    };
    rule("A poll takes from each partition in turn.")
        .same(places(&first), vec![(0, 100), (1, 100)]);
    rule("A restart reads on from the commit, and without one from the first record.")
        .same(places(&second), vec![(0, 105), (1, 100)]);
}

#[tokio::test]
async fn given_a_crash_table_names_what_a_loop_loses_and_repeats() {
    // A loop that writes and never commits, and one that commits and never writes.
    let writes = async |effects: &mut Crashing<Memory>| {
        let records = effects.poll().await?;
        let rows: Vec<(i32, i64)> = records.iter().map(|r| (r.partition, r.offset)).collect();
        effects.write(&rows).await?;
        Ok(records.len())
    };
    let table = crash_table("never commits", writes).await;
    rule("A loop that never commits begins anew.").same_bytes(
        table.to_string(),
        "never commits, 120 records, one crash, then a restart\n  crash after   lost   repeated\n  \
         poll             0        120\n  write            0        120\n  \
         guarantee: at least once: nothing lost, some repeated",
    );
    let commits = async |effects: &mut Crashing<Memory>| {
        let records = effects.poll().await?;
        effects.commit(&Offsets::from([(0, 1_000), (1, 1_000)])).await?;
        Ok(records.len())
    };
    let table = crash_table("never writes", commits).await;
    rule("A loop that never writes loses all.")
        .same((table.lost(), table.repeated()), (RECORDS, 0));
}

#[tokio::test]
async fn given_a_crash_table_names_the_first_record_that_the_first_worst_crash_lost() {
    let commits_first = async |effects: &mut Crashing<Memory>| {
        let records = effects.poll().await?;
        effects.commit(&records.iter().map(|r| (r.partition, r.offset + 1)).collect()).await?;
        let rows: Vec<(i32, i64)> = records.iter().map(|r| (r.partition, r.offset)).collect();
        effects.write(&rows).await?;
        Ok(records.len())
    };
    let table = crash_table("commits first", commits_first).await;
    rule("A loop that commits first loses a batch at each crash behind the commit; the first is shown.")
        .same_bytes(
            table.to_string(),
            "commits first, 120 records, one crash, then a restart\n  crash after   lost   repeated\n  \
             poll             0          0\n  write            0          0\n  \
             commit          10          0   from partition 0, offset 100\n  \
             guarantee: at most once: nothing repeated, some lost",
        );
}

#[test]
fn given_the_guarantee_is_read_off_what_was_lost_and_repeated() {
    for (lost, repeated, expected) in [
        (0, 0, "nothing lost, nothing repeated"),
        (0, 1, "at least once: nothing lost, some repeated"),
        (1, 0, "at most once: nothing repeated, some lost"),
        (1, 1, "none: some lost, and some repeated"),
    ] {
        let line = CrashLine { after: Effect::Write, lost, repeated, first_lost: None };
        let table = CrashTable { title: String::new(), records: 1, lines: vec![line] };
        rule("Lost and repeated records decide the guarantee.")
            .picture(format!("lost {lost}, repeated {repeated}"))
            .same_bytes(table.guarantee(), expected);
    }
}
