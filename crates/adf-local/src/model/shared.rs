//! A map whose copies share their values until one of them is changed.
//!
//! The model is copied once a second while reads lag behind (see `weather::lag`). A copy of a thousand instances has to be
//! cheap, and a change after it has to copy the one instance that changes.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::Index;
use std::sync::Arc;

/// Named things, in order of name.
#[derive(Debug)]
pub(super) struct Shared<V>(BTreeMap<Arc<str>, Arc<V>>);

impl<V> Default for Shared<V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<V> Clone for Shared<V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<V: Clone> Shared<V> {
    pub(super) fn get<Q: AsRef<str> + ?Sized>(&self, name: &Q) -> Option<&V> {
        self.0.get(name.as_ref()).map(Arc::as_ref)
    }

    pub(super) fn get_mut<Q: AsRef<str> + ?Sized>(&mut self, name: &Q) -> Option<&mut V> {
        self.0.get_mut(name.as_ref()).map(Arc::make_mut)
    }

    pub(super) fn contains_key<Q: AsRef<str> + ?Sized>(&self, name: &Q) -> bool {
        self.0.contains_key(name.as_ref())
    }

    pub(super) fn insert(&mut self, name: String, value: V) {
        self.0.insert(name.into(), Arc::new(value));
    }

    pub(super) fn remove<Q: AsRef<str> + ?Sized>(&mut self, name: &Q) -> Option<V> {
        self.0.remove(name.as_ref()).map(Arc::unwrap_or_clone)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.0.values().map(Arc::as_ref)
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(&V) -> bool) {
        self.0.retain(|_, value| keep(value));
    }
}

impl<V, Q: AsRef<str> + ?Sized> Index<&Q> for Shared<V> {
    type Output = V;

    fn index(&self, name: &Q) -> &V {
        let name: &str = name.as_ref();
        let found: Option<&Arc<V>> = self.0.get::<str>(Borrow::<str>::borrow(name));
        found.expect("the caller has just seen it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_keeps_what_was_changed_later_and_shares_the_rest() {
        let mut map: Shared<u32> = Shared::default();
        map.insert("a".to_owned(), 1);
        map.insert("b".to_owned(), 2);
        let copy = map.clone();
        *map.get_mut("a").expect("it is there") = 10;
        map.remove("b");
        assert_eq!((map["a"], copy["a"], copy["b"]), (10, 1, 2));
        assert!(!map.contains_key("b"));
    }
}
