//! Statements of the tests themselves.

use tokio_postgres::NoTls;

/// Runs statements in one go, and gives the first column of the rows.
pub fn sql(database_url: &str, statements: &str) -> Vec<String> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(database_url, NoTls)
            .await
            .expect("the server takes connections");
        tokio::spawn(connection);
        let answers = client.simple_query(statements).await.expect("the statements are good");
        let rows = answers.iter().filter_map(|answer| match answer {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        rows.collect()
    })
}
