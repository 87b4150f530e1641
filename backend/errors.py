"""One class per mistake; each is an IsogradError and the builtin error that fits it."""


class IsogradError(Exception):
    """Base of every error that isograd raises on purpose."""


class ShapeError(IsogradError, ValueError):
    """Shapes that do not fit each other or the function."""


class DtypeError(IsogradError, TypeError):
    """A dtype that the function does not take, or a mixture of dtypes in one layer."""


class CastOverflowError(IsogradError, OverflowError):
    """A finite value that the target dtype cannot hold."""


class HyperparameterError(IsogradError, ValueError):
    """A setting outside its range: a NaN learning rate, a dropout rate of 1.5."""


class DomainError(IsogradError, ValueError):
    """A value for which the function is not defined: a probability of 1.5."""


class NonFiniteError(IsogradError, FloatingPointError):
    """NaN or infinity where only finite numbers can go on: the norm of gradients."""


class LabelError(IsogradError, IndexError):
    """A class label or an index outside its range."""


class EmptyReductionError(IsogradError, ValueError):
    """A mean or another reduction over nothing."""


class DeviceError(IsogradError, RuntimeError):
    """Arrays of two devices or two libraries met in one operation."""


class UnknownDeviceError(DeviceError, ValueError):
    """A device name that no array library answers to."""


class DeviceUnavailableError(DeviceError):
    """A known device that this machine or this installation cannot serve."""


class ConfigurationError(IsogradError, ValueError):
    """An ISOGRAD_* environment variable with a value that means nothing."""


class StateDictError(IsogradError, ValueError):
    """Names or shapes of a state_dict that do not fit the module."""


class NotDifferentiableError(IsogradError, TypeError):
    """A derivative was asked of something that has none."""


class NotRecordedError(IsogradError, RuntimeError):
    """backward() of something that no tape has recorded."""


class GraphFreedError(IsogradError, RuntimeError):
    """A second backward() over a graph whose saved arrays are gone."""


class StaleArrayError(IsogradError, RuntimeError):
    """An array that a derivative rule needs was changed after it was saved."""


class DamagedFileError(IsogradError, OSError):
    """A file that cannot be read, or whose content does not have its checksum."""


class InPlaceError(IsogradError, RuntimeError):
    """In-place change of an array that a tape or a reader still needs."""


class MissingFunctionError(IsogradError, NotImplementedError):
    """A function that the array library lacks, or that needs a package that is not installed."""


class KernelError(IsogradError, RuntimeError):
    """A fused kernel could not be compiled or launched."""


class CaptureError(IsogradError, RuntimeError):
    """A training step that cannot be captured for replay."""


class GradientCheckError(IsogradError, AssertionError):
    """A derivative rule disagrees with central differences."""


class NotCloseError(IsogradError, AssertionError):
    """Arrays that a test expects to agree differ in values, shape, dtype, device or structure."""
