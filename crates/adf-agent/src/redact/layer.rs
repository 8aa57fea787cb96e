//! A tracing layer around the one that writes: no field of an event or of a span gets past it with a secret.
//!
//! The fields of an event are formatted here; when one of them holds a secret, the inner layer gets a copy
//! of the event with text in its place, and otherwise the event itself.

use std::borrow::Cow;
use std::fmt;

use tracing::field::{Field, FieldSet, Value, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// The most fields that tracing allows.
const MOST_FIELDS: usize = 32;

/// `inner`, which sees no secret.
#[derive(Debug)]
pub struct Redacting<L>(pub L);

impl<S, L> Layer<S> for Redacting<L>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    L: Layer<S>,
{
    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        self.0.on_register_dispatch(subscriber);
    }

    fn on_layer(&mut self, subscriber: &mut S) {
        self.0.on_layer(subscriber);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.0.register_callsite(metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
        self.0.enabled(metadata, context)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.0.max_level_hint()
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        if !fields.secret {
            return self.0.on_event(event, context);
        }
        fields.with(event.metadata().fields(), |values| {
            let copy = match event.parent() {
                Some(parent) => Event::new_child_of(parent.clone(), event.metadata(), &values),
                None => Event::new(event.metadata(), &values),
            };
            self.0.on_event(&copy, context);
        });
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if !fields.secret {
            return self.0.on_new_span(attributes, id, context);
        }
        fields.with(attributes.metadata().fields(), |values| {
            let copy = match attributes.parent() {
                Some(parent) => Attributes::child_of(parent.clone(), attributes.metadata(), &values),
                None => Attributes::new(attributes.metadata(), &values),
            };
            self.0.on_new_span(&copy, id, context);
        });
    }

    fn on_record(&self, span: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        record.record(&mut fields);
        let Some(set) = context.metadata(span).map(Metadata::fields).filter(|_| fields.secret) else {
            return self.0.on_record(span, record, context);
        };
        fields.with(set, |values| self.0.on_record(span, &Record::new(&values), context));
    }

    fn on_follows_from(&self, span: &Id, follows: &Id, context: Context<'_, S>) {
        self.0.on_follows_from(span, follows, context);
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.0.on_enter(id, context);
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        self.0.on_exit(id, context);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.0.on_close(id, context);
    }

    fn on_id_change(&self, old: &Id, new: &Id, context: Context<'_, S>) {
        self.0.on_id_change(old, new, context);
    }
}

/// The fields of one event as text, masked.
#[derive(Default)]
struct Fields {
    texts: Vec<(Field, String)>,
    /// Whether any was masked.
    secret: bool,
}

impl Fields {
    fn take(&mut self, field: &Field, text: &str) {
        let shown = super::text(text);
        self.secret |= matches!(shown, Cow::Owned(_));
        self.texts.push((field.clone(), shown.into_owned()));
    }

    /// Calls `act` with the masked values. tracing wants an array of a fixed length: the rest of it is empty.
    fn with(&self, set: &FieldSet, act: impl FnOnce(tracing::field::ValueSet<'_>)) {
        let Some((first, _)) = self.texts.first() else { return };
        let texts: Vec<&str> = self.texts.iter().map(|(_, text)| text.as_str()).collect();
        let mut values: [(&Field, Option<&dyn Value>); MOST_FIELDS] = [(first, None); MOST_FIELDS];
        for (slot, ((field, _), text)) in values.iter_mut().zip(self.texts.iter().zip(&texts)) {
            *slot = (field, Some(text));
        }
        act(set.value_set(&values));
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.take(field, &format!("{value:?}"));
    }
}
