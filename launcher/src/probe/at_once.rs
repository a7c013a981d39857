//! Asking many nodes at the same time.

use tokio::task::JoinSet;

/// What each of these gives, all at work at the same time, in their order. The slowest one decides how long it
/// takes, so that each must have a deadline. A question that panics does so here.
pub async fn ask_all<T, F>(questions: impl IntoIterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut asking = JoinSet::new();
    for (place, question) in questions.into_iter().enumerate() {
        asking.spawn(async move { (place, question.await) });
    }
    let mut answers = Vec::with_capacity(asking.len());
    while let Some(answer) = asking.join_next().await {
        match answer.map_err(tokio::task::JoinError::try_into_panic) {
            Ok(answer) => answers.push(answer),
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // The runtime ends, which takes the questions away first and this task next.
            Err(Err(_cancelled)) => std::future::pending().await,
        }
    }
    answers.sort_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_that_ends_in_the_midst_of_it_makes_no_panic() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(8)
            .build()
            .unwrap();
        let asking: Vec<_> = (0..5000)
            .map(|_| runtime.spawn(ask_all((0..4).map(|_| std::future::pending::<()>()))))
            .collect();
        drop(runtime);
        let other = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        for task in asking {
            let ended = other.block_on(task).unwrap_err();
            assert!(ended.is_cancelled(), "{ended}");
        }
    }
}
