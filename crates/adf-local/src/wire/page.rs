//! Pages of a list, with an opaque token for the next one.

use crate::model::ApiError;

/// One page and the token of the next, if there is one.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<String>,
}

/// Cuts the page a request asks for. The token is the number of items before it.
pub(super) fn page<T>(
    all: Vec<T>,
    token: Option<&str>,
    size: Option<i32>,
    most: usize,
) -> Result<Page<T>, ApiError> {
    let start: usize = token
        .map_or(Ok(0), str::parse)
        .map_err(|_| ApiError::new("InvalidNextToken", "The token is not one that this service gave out"))?;
    let size =
        size.and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0).unwrap_or(most).min(most);
    let total = all.len();
    let items = all.into_iter().skip(start).take(size).collect();
    let next = (start + size < total).then(|| (start + size).to_string());
    Ok(Page { items, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_cover_a_list_once_and_end() {
        let all: Vec<u32> = (0..23).collect();
        let (mut seen, mut token) = (Vec::new(), None);
        loop {
            let page = page(all.clone(), token.as_deref(), Some(5), 10).expect("the token is its own");
            seen.extend(page.items);
            match page.next {
                Some(next) => token = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn a_foreign_token_is_refused() {
        assert_eq!(page(vec![1], Some("x"), None, 10).expect_err("x is no token").code, "InvalidNextToken");
    }
}
