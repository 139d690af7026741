//! Arrays: of a frame, of a slice, or owned.

use std::fmt;
use std::marker::PhantomData;

use crate::element::{Element, NullForm, Nullable, null};
use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::reader::Reader;
use crate::writer::Writer;

/// An array field. Decoding yields `Wire`, which holds no elements but the bytes they are in;
/// `Slice` and `Owned` are for encoding.
pub enum Array<'a, T> {
    /// Elements in a frame, checked as a whole when the frame was decoded, and decoded one by one
    /// when they are iterated.
    Wire(WireArray<'a, T>),
    /// Elements that somebody else keeps.
    Slice(&'a [T]),
    /// Elements of the array's own.
    Owned(Vec<T>),
}

/// The view of an array in a frame. Only decoding makes one, so its bytes are known to be good.
pub struct WireArray<'a, T> {
    bytes: &'a [u8],
    count: usize,
    version: i16,
    flexible: bool,
    element: PhantomData<fn() -> T>,
}

impl<'a, T> Array<'a, T> {
    /// The array of no elements.
    #[must_use]
    pub const fn empty() -> Array<'a, T> {
        Array::Slice(&[])
    }

    /// Number of elements.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Array::Wire(wire) => wire.count,
            Array::Slice(elements) => elements.len(),
            Array::Owned(elements) => elements.len(),
        }
    }

    /// Whether there are no elements.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements as they lie in memory, unless they are still encoded.
    #[must_use]
    pub fn as_slice(&self) -> Option<&[T]> {
        match self {
            Array::Wire(_) => None,
            Array::Slice(elements) => Some(elements),
            Array::Owned(elements) => Some(elements),
        }
    }
}

impl<'a, T: Element<'a> + Clone> Array<'a, T> {
    /// The elements by value: decoded from the frame, or cloned.
    #[inline]
    pub fn iter(&self) -> ArrayIter<'_, 'a, T> {
        let source = match self {
            Array::Wire(wire) => Source::Wire {
                r: Reader::new(wire.bytes),
                left: wire.count,
                version: wire.version,
                flexible: wire.flexible,
            },
            Array::Slice(elements) => Source::Slice(elements.iter()),
            Array::Owned(elements) => Source::Slice(elements.iter()),
        };
        ArrayIter { source }
    }

    /// The first element.
    #[must_use]
    pub fn first(&self) -> Option<T> {
        self.iter().next()
    }

    /// All elements, collected. Allocates.
    #[must_use]
    pub fn to_vec(&self) -> Vec<T> {
        self.iter().collect()
    }
}

impl<'a, T: Element<'a>> Array<'a, T> {
    #[inline]
    fn read_elements(
        r: &mut Reader<'a>,
        count: usize,
        version: i16,
        flexible: bool,
    ) -> Result<Self, DecodeError> {
        let start = r.rest();
        match T::FIXED_BYTES {
            Some(bytes) => {
                let need = count.checked_mul(bytes);
                let need = need.ok_or(DecodeErrorKind::ArrayTooLong {
                    count,
                    left: start.len(),
                })?;
                r.take(need)?;
            }
            None => {
                for _ in 0..count {
                    T::read(r, version, flexible)?;
                }
            }
        }
        let bytes = &start[..start.len() - r.remaining()];
        Ok(Array::Wire(WireArray {
            bytes,
            count,
            version,
            flexible,
            element: PhantomData,
        }))
    }
}

impl<'a, T: Element<'a>> Element<'a> for Array<'a, T> {
    #[inline]
    fn read(r: &mut Reader<'a>, version: i16, flexible: bool) -> Result<Self, DecodeError> {
        let count = r.nullable_count(flexible)?.ok_or_else(null)?;
        Self::read_elements(r, count, version, flexible)
    }

    #[inline]
    fn write(&self, w: &mut Writer, version: i16, flexible: bool) -> Result<(), EncodeError> {
        w.length(Some(self.len()), flexible)?;
        match self {
            Array::Wire(wire) if wire.version == version && wire.flexible == flexible => {
                w.raw(wire.bytes);
                Ok(())
            }
            Array::Wire(wire) => {
                let mut r = Reader::new(wire.bytes);
                (0..wire.count).try_for_each(|_| {
                    checked::<T>(&mut r, wire.version, wire.flexible).write(w, version, flexible)
                })
            }
            Array::Slice(elements) => elements
                .iter()
                .try_for_each(|element| element.write(w, version, flexible)),
            Array::Owned(elements) => elements
                .iter()
                .try_for_each(|element| element.write(w, version, flexible)),
        }
    }
}

impl<'a, T: Element<'a>> Nullable<'a> for Array<'a, T> {
    const FORM: NullForm = NullForm::Length;

    #[inline]
    fn read_nullable(
        r: &mut Reader<'a>,
        version: i16,
        flexible: bool,
    ) -> Result<Option<Self>, DecodeError> {
        match r.nullable_count(flexible)? {
            Some(count) => Self::read_elements(r, count, version, flexible).map(Some),
            None => Ok(None),
        }
    }
}

/// The elements of an [`Array`], by value.
pub struct ArrayIter<'s, 'a, T> {
    source: Source<'s, 'a, T>,
}

enum Source<'s, 'a, T> {
    Wire {
        r: Reader<'a>,
        left: usize,
        version: i16,
        flexible: bool,
    },
    Slice(std::slice::Iter<'s, T>),
}

impl<'a, T: Element<'a> + Clone> Iterator for ArrayIter<'_, 'a, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        match &mut self.source {
            Source::Wire { left: 0, .. } => None,
            Source::Wire {
                r,
                left,
                version,
                flexible,
            } => {
                *left -= 1;
                Some(checked(r, *version, *flexible))
            }
            Source::Slice(elements) => elements.next().cloned(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match &self.source {
            Source::Wire { left, .. } => *left,
            Source::Slice(elements) => elements.len(),
        };
        (left, Some(left))
    }
}

impl<'a, T: Element<'a> + Clone> ExactSizeIterator for ArrayIter<'_, 'a, T> {}

impl<'s, 'a, T: Element<'a> + Clone> IntoIterator for &'s Array<'a, T> {
    type Item = T;
    type IntoIter = ArrayIter<'s, 'a, T>;

    fn into_iter(self) -> ArrayIter<'s, 'a, T> {
        self.iter()
    }
}

impl<T> From<Vec<T>> for Array<'_, T> {
    fn from(elements: Vec<T>) -> Self {
        Array::Owned(elements)
    }
}

impl<'a, T> From<&'a [T]> for Array<'a, T> {
    fn from(elements: &'a [T]) -> Self {
        Array::Slice(elements)
    }
}

impl<'a, T, const N: usize> From<&'a [T; N]> for Array<'a, T> {
    fn from(elements: &'a [T; N]) -> Self {
        Array::Slice(elements)
    }
}

impl<T> FromIterator<T> for Array<'_, T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        Array::Owned(elements.into_iter().collect())
    }
}

impl<T> Default for Array<'_, T> {
    fn default() -> Self {
        Array::empty()
    }
}

impl<T: Clone> Clone for Array<'_, T> {
    fn clone(&self) -> Self {
        match self {
            Array::Wire(wire) => Array::Wire(wire.clone()),
            Array::Slice(elements) => Array::Slice(elements),
            Array::Owned(elements) => Array::Owned(elements.clone()),
        }
    }
}

/// Equal element by element, wherever the elements are.
impl<'a, T: Element<'a> + Clone + PartialEq> PartialEq for Array<'a, T> {
    fn eq(&self, other: &Self) -> bool {
        match (self.as_slice(), other.as_slice()) {
            (Some(one), Some(other)) => one == other,
            _ => self.len() == other.len() && self.iter().eq(other.iter()),
        }
    }
}

impl<'a, T: Element<'a> + Clone + fmt::Debug> fmt::Debug for Array<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T> Clone for WireArray<'_, T> {
    fn clone(&self) -> Self {
        WireArray {
            element: PhantomData,
            ..*self
        }
    }
}

impl<T> fmt::Debug for WireArray<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} elements in {} bytes", self.count, self.bytes.len())
    }
}

/// Decodes an element that has been decoded before.
#[inline]
fn checked<'a, T: Element<'a>>(r: &mut Reader<'a>, version: i16, flexible: bool) -> T {
    match T::read(r, version, flexible) {
        Ok(element) => element,
        Err(error) => unreachable!("the array was checked when its frame was decoded: {error}"),
    }
}

#[cfg(test)]
mod tests;
