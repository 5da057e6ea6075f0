//! title: A commit without an answer is taken for one that failed
//! file: store.rs
//! caught by: step2_store::a_commit_without_an_answer_is_called_that
//!
//! The call gave an error, so it did not happen: that is how calls mostly are. This one crosses a wire,
//! and the wire can end behind it.

pub async fn commit(database: &Client) -> Result<(), StoreError> {
    database.batch_execute("COMMIT").await.map_err(StoreError::Database)
}
