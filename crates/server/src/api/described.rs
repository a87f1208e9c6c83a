//! The engine's types in the description of the API: their JSON Schemas, which OpenAPI 3.1 takes as they are.

use std::borrow::Cow;

use civitas_engine::queue::{
    Acted as ActedType, Overview as OverviewType, QueueRow as QueueRowType, RecordView as RecordViewType,
};
use civitas_engine::swap::{
    Attempt as AttemptType, DeciderView as DeciderViewType, PackView as PackViewType,
};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};
use utoipa::openapi::{Object, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Names that handlers use in their descriptions; the content is put in by [`schemas`].
macro_rules! named {
    ($($name:ident: $kind:ty),+) => {
        $(
            pub(crate) struct $name;

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    Object::new().into()
                }
            }

            impl ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    stringify!($name).into()
                }
            }
        )+

        /// The schemas of these types and of what they are made of.
        pub(crate) fn schemas() -> Map<String, Value> {
            let settings = SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            });
            let mut generator = settings.into_generator();
            $(let _ = generator.subschema_for::<$kind>();)+
            generator.take_definitions(true)
        }
    };
}

named!(
    QueueRow: QueueRowType, RecordView: RecordViewType, Overview: OverviewType, Acted: ActedType,
    PackView: PackViewType, DeciderView: DeciderViewType, Attempt: AttemptType
);
