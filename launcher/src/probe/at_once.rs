//! Asking many nodes at the same time.

use tokio::task::JoinSet;

/// What each of these gives, all at work at the same time, in their order. The slowest one decides how long it
/// takes, so that each must have a deadline.
pub(crate) async fn ask_all<T, F>(questions: impl IntoIterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut asking = JoinSet::new();
    for (place, question) in questions.into_iter().enumerate() {
        asking.spawn(async move { (place, question.await) });
    }
    let mut answers = asking.join_all().await;
    answers.sort_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, answer)| answer).collect()
}
