//! The `Cookie` header (RFC 6265, section 4.2): one value looked up by its name, everything else left
//! alone.

/// The value of the first cookie of this name in a `Cookie` header. Names are compared byte for byte.
pub fn value<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header
        .split(';')
        .filter_map(|pair| pair.trim_matches([' ', '\t']).split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_whole_or_not_at_all() {
        assert_eq!(value("a=1; b=2;c=3", "b"), Some("2"));
        assert_eq!(value("a=1; b=2;c=3", "c"), Some("3"));
        assert_eq!(value("b=1; b=2", "b"), Some("1"));
        assert_eq!(value("b=x=y", "b"), Some("x=y"));
        assert_eq!(value("xb=1; b =2; B=3; b", "b"), None);
        assert_eq!(value("", "b"), None);
    }
}
