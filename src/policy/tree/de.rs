//! From the tree to plain structs, by serde; an error names the key and the place it was written.

use std::fmt;

use serde::de::value::{StrDeserializer, StringDeserializer};
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};

use super::{Entry, Kind, Origin, Value};
use crate::policy::problem::did_you_mean;

/// A value that is not what is wanted there.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// The keys that lead to it, outermost first.
    pub keys: Vec<String>,
    /// Where it was written; none before the value it happened in is known.
    pub origin: Option<Origin>,
    /// What is wrong and what to do.
    pub message: String,
    /// Something is not there, which another layer may still bring.
    pub missing: bool,
}

impl Fault {
    fn new(message: String) -> Self {
        Self {
            keys: Vec::new(),
            origin: None,
            message,
            missing: false,
        }
    }

    fn inside(mut self, key: &str, origin: &Origin) -> Self {
        self.keys.insert(0, key.to_owned());
        self.at(origin)
    }

    fn at(mut self, origin: &Origin) -> Self {
        self.origin.get_or_insert_with(|| origin.clone());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

/// What a person calls what was found there. Not the value itself, which could be a secret in the
/// wrong place; numbers are none.
fn found(unexpected: &Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(value) => value.to_string(),
        Unexpected::Unsigned(value) => value.to_string(),
        Unexpected::Signed(value) => value.to_string(),
        Unexpected::Float(value) => value.to_string(),
        Unexpected::Str(_) | Unexpected::Char(_) => "text".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a table".to_owned(),
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        other => other.to_string(),
    }
}

/// What a person calls what is wanted.
fn wanted(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    match text.as_str() {
        "u8" => "a whole number from 0 to 255".to_owned(),
        "u16" => "a whole number from 0 to 65535".to_owned(),
        "u32" => format!("a whole number from 0 to {}", u32::MAX),
        "u64" | "usize" => "a whole number, not below 0".to_owned(),
        "i64" | "i32" => "a whole number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" | "path string" | "str" | "a borrowed string" => "text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a table".to_owned(),
        other if other.starts_with("struct ") => "a table".to_owned(),
        _ => text,
    }
}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!(
            "{} where {} is expected",
            found(&unexpected),
            wanted(expected)
        ))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("unknown key{}", did_you_mean(field, expected)))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let hint = did_you_mean(variant, expected);
        let list = expected.join(", ");
        Self::new(format!("expected one of {list}{hint}"))
    }

    fn missing_field(field: &'static str) -> Self {
        let mut fault = Self::new(format!("{field} is missing"));
        fault.missing = true;
        fault
    }
}

impl<'de> Deserializer<'de> for &'de Value {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let result = match &self.kind {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool(value) => visitor.visit_bool(*value),
            Kind::Whole(value) => visitor.visit_i64(*value),
            Kind::Number(value) => visitor.visit_f64(*value),
            Kind::Text(text) => visitor.visit_str(text),
            Kind::List(list) => visitor.visit_seq(Items {
                left: list.iter(),
                at: 0,
            }),
            Kind::Table(table) => visitor.visit_map(Entries {
                left: table.0.iter(),
                value: None,
            }),
        };
        result.map_err(|fault| fault.at(&self.origin))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.kind {
            Kind::Null => visitor.visit_none(),
            Kind::Text(text) if text.is_empty() && self.origin.is_untyped() => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.kind {
            Kind::Text(text) if self.origin.is_untyped() => {
                match text.to_ascii_lowercase().as_str() {
                    "true" | "yes" | "on" | "1" => visitor.visit_bool(true),
                    "false" | "no" | "off" | "0" => visitor.visit_bool(false),
                    _ => Err(Fault::new("true or false is expected".to_owned()).at(&self.origin)),
                }
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let result = match &self.kind {
            // One item needs no brackets; where there are none, commas stand between items.
            Kind::Text(text) if self.origin.is_untyped() => visitor.visit_seq(Words {
                left: text.split(',').filter(|word| !word.trim().is_empty()),
            }),
            Kind::Text(_) | Kind::Whole(_) => visitor.visit_seq(Items {
                left: std::slice::from_ref(self).iter(),
                at: 0,
            }),
            _ => return self.deserialize_any(visitor),
        };
        result.map_err(|fault| fault.at(&self.origin))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let result = match &self.kind {
            Kind::Text(text) => visitor.visit_enum(Variant {
                name: text,
                value: None,
            }),
            Kind::Table(table) => match table.0.as_slice() {
                [only] => visitor.visit_enum(Variant {
                    name: &only.key,
                    value: Some(only),
                }),
                _ => Err(Fault::new(
                    "a table with exactly one key is expected".to_owned(),
                )),
            },
            other => Err(Fault::new(format!(
                "{} where text is expected",
                other.name()
            ))),
        };
        result.map_err(|fault| fault.at(&self.origin))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor
            .visit_newtype_struct(self)
            .map_err(|fault| fault.at(&self.origin))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.number(visitor)
    }
    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.number(visitor)
    }
    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.number(visitor)
    }
    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.number(visitor)
    }
    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.number(visitor)
    }
    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.number(visitor)
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple tuple_struct
        map struct identifier
    }
}

impl Value {
    fn number<'de, V: Visitor<'de>>(&'de self, visitor: V) -> Result<V::Value, Fault> {
        match &self.kind {
            Kind::Text(text) if self.origin.is_untyped() => match text.trim().parse() {
                Ok(number) => visitor
                    .visit_i64(number)
                    .map_err(|fault: Fault| fault.at(&self.origin)),
                Err(_) => Err(Fault::new("a whole number is expected".to_owned()).at(&self.origin)),
            },
            _ => self.deserialize_any(visitor),
        }
    }
}

struct Entries<'de> {
    left: std::slice::Iter<'de, Entry>,
    value: Option<&'de Entry>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let Some(entry) = self
            .left
            .by_ref()
            .find(|entry| entry.value.kind != Kind::Null)
        else {
            return Ok(None);
        };
        self.value = Some(entry);
        let key: StrDeserializer<'de, Fault> = entry.key.as_str().into_deserializer();
        seed.deserialize(key)
            .map(Some)
            .map_err(|fault| fault.inside(&entry.key, &entry.origin))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        match self.value.take() {
            Some(entry) => seed
                .deserialize(&entry.value)
                .map_err(|fault| fault.inside(&entry.key, &entry.value.origin)),
            None => Err(Fault::new("a value without a key".to_owned())),
        }
    }
}

struct Items<'de> {
    left: std::slice::Iter<'de, Value>,
    at: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        self.at += 1;
        match self.left.next() {
            Some(value) => seed
                .deserialize(value)
                .map(Some)
                .map_err(|fault| fault.at(&value.origin)),
            None => Ok(None),
        }
    }
}

struct Words<I> {
    left: I,
}

impl<'de, 'a, I: Iterator<Item = &'a str>> SeqAccess<'de> for Words<I> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        match self.left.next() {
            Some(word) => {
                let word: StringDeserializer<Fault> = word.trim().to_owned().into_deserializer();
                seed.deserialize(word).map(Some)
            }
            None => Ok(None),
        }
    }
}

struct Variant<'de> {
    name: &'de str,
    value: Option<&'de Entry>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        let name: StrDeserializer<'de, Fault> = self.name.into_deserializer();
        match seed.deserialize(name) {
            Ok(variant) => Ok((variant, self)),
            Err(fault) => Err(match self.value {
                Some(entry) => fault.inside(&entry.key, &entry.origin),
                None => fault,
            }),
        }
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match self.value {
            None => Ok(()),
            Some(_) => Err(Fault::new(format!("{} takes no value", self.name))),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        match self.value {
            Some(entry) => seed
                .deserialize(&entry.value)
                .map_err(|fault| fault.inside(&entry.key, &entry.value.origin)),
            None => Err(Fault::new(format!(
                "write {{ {} = … }} with its value",
                self.name
            ))),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, Fault> {
        self.struct_variant(&[], visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.value {
            Some(entry) => entry
                .value
                .deserialize_any(visitor)
                .map_err(|fault| fault.inside(&entry.key, &entry.value.origin)),
            None => Err(Fault::new(format!(
                "write {{ {} = … }} with its value",
                self.name
            ))),
        }
    }
}
