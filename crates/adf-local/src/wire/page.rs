//! Pages of a list, with an opaque token for the next one.
//!
//! A list may change between two pages, and with reads that lag it may even go back. The token therefore names the item before it:
//! what stays in the list all the while is on exactly one page, as with AWS.

use crate::model::ApiError;

/// One page and the token of the next, if there is one.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<String>,
}

/// How many items a page holds: what was asked for, `most` without that and at most.
pub(super) fn size(asked: Option<i32>, most: usize) -> usize {
    asked.and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0).unwrap_or(most).min(most)
}

/// Cuts the page a request asks for. A `short` page holds that share of it, in thousandths, and at least one item: AWS may answer
/// less than was asked for, and the token alone says that there is more.
pub(super) fn page<T>(
    all: Vec<T>,
    key: impl Fn(&T) -> String,
    token: Option<&str>,
    size: usize,
    short: Option<usize>,
) -> Result<Page<T>, ApiError> {
    let start = match token {
        Some(token) => start(&all, &key, token)?,
        None => 0,
    };
    let left = all.len().saturating_sub(start);
    let size = short.map_or(size, |share| size.min(left) * share / 1000).max(1);
    let items: Vec<T> = all.into_iter().skip(start).take(size).collect();
    let last = items.last().filter(|_| left > size);
    let next = last.map(|last| format!("{}:{}", start + size, key(last)));
    Ok(Page { items, next })
}

/// Behind the item that the token names; where that is gone, at the place it would have been.
fn start<T>(all: &[T], key: &impl Fn(&T) -> String, token: &str) -> Result<usize, ApiError> {
    let parsed = token.split_once(':').and_then(|(index, last)| Some((index.parse().ok()?, last)));
    let (index, last): (usize, &str) = parsed.ok_or_else(|| {
        ApiError::new("InvalidNextToken", "The token is not one that this service gave out")
    })?;
    Ok(all.iter().position(|item| key(item) == last).map_or(index.saturating_sub(1), |at| at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(all: &[u32], token: Option<&str>, short: Option<usize>) -> Page<u32> {
        page(all.to_vec(), u32::to_string, token, 5, short).expect("the token is its own")
    }

    #[test]
    fn pages_cover_a_list_once_and_end() {
        let all: Vec<u32> = (0..23).collect();
        for short in [None, Some(0), Some(300), Some(999)] {
            let (mut seen, mut token, mut pages) = (Vec::new(), None, 0);
            loop {
                let page = cut(&all, token.as_deref(), short);
                seen.extend(page.items);
                pages += 1;
                match page.next {
                    Some(next) => token = Some(next),
                    None => break,
                }
            }
            assert_eq!(seen, all);
            assert_eq!(pages > 5, short.is_some(), "{short:?}");
        }
    }

    #[test]
    fn what_stays_in_a_list_that_shrinks_is_not_passed_over() {
        let first = cut(&(0..12).collect::<Vec<_>>(), None, None);
        let second = cut(&(3..12).collect::<Vec<_>>(), first.next.as_deref(), None);
        assert_eq!(second.items, [5, 6, 7, 8, 9]);
    }

    #[test]
    fn a_foreign_token_is_refused() {
        let refusal = page(vec![1], u32::to_string, Some("x"), 10, None).expect_err("x is no token");
        assert_eq!(refusal.code, "InvalidNextToken");
    }
}
