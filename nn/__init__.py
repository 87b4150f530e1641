"""Everything to build and train a network: functions first, then the layers that own parameters.

A function is an op: it takes arrays of any library or Tensors, and op.backward is its derivative.
A layer is a Module: it owns Parameters and calls the function of its name.
"""

# ruff: noqa: I001  # in the order in which a person meets them

# -- what a layer is, and putting layers together
from .module import Module
from .parameter import Parameter
from .sequential import Sequential
from .summary import summary

# -- layers
from .linear import Linear, linear
from .flatten import Flatten, flatten
from .dropout import Dropout, dropout
from .embedding import Embedding, embedding
from .bilinear import Bilinear, bilinear
from .residual import Residual

# -- sequences
from .recurrent import (
    GRU,
    GRUCell,
    LSTM,
    LSTMCell,
    RNN,
    RNNCell,
    gru,
    gru_cell,
    lstm,
    lstm_cell,
    rnn,
    rnn_cell,
)
from .attention import (
    MultiheadAttention,
    Rotary,
    SinusoidalPositions,
    TransformerDecoder,
    TransformerDecoderLayer,
    TransformerEncoder,
    TransformerEncoderLayer,
    rotary,
    scaled_dot_product_attention,
    sinusoidal_positions,
)

# -- activations
from .activation import (
    activation_named,
    elu,
    gelu,
    identity,
    leaky_relu,
    log_sigmoid,
    prelu,
    relu,
    sigmoid,
    silu,
    softplus,
    tanh,
)
from .activation_layers import (
    ELU,
    GELU,
    Identity,
    LeakyReLU,
    LogSigmoid,
    PReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
)
from .softmax import LogSoftmax, Softmax, log_softmax, softmax
from .special import erf

# -- losses, and figures without a derivative
from .cross_entropy import cross_entropy
from .losses import binary_cross_entropy, binary_cross_entropy_with_logits, huber, l1, mse
from .loss_layers import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    L1Loss,
    MSELoss,
)
from .metrics import accuracy, confusion_matrix
from .regularization import l2_penalty

# -- training
from . import initializers
from .optimizers import SGD, Adam, AdamW, Optimizer, RMSprop, clip_grad_norm, clip_grad_value

# -- data
from .data import DataLoader, train_test_split
from .datasets import Digits, Examples, load_digits
from .preprocessing import FeatureStatistics, feature_statistics, standardize

__all__ = [
    # putting layers together
    "Module",
    "Parameter",
    "Sequential",
    "summary",
    # layers
    "Dropout",
    "Flatten",
    "Linear",
    "dropout",
    "flatten",
    "linear",
    "Bilinear",
    "Embedding",
    "Residual",
    "bilinear",
    "embedding",
    # sequences
    "GRU",
    "GRUCell",
    "LSTM",
    "LSTMCell",
    "MultiheadAttention",
    "RNN",
    "RNNCell",
    "Rotary",
    "SinusoidalPositions",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "gru",
    "gru_cell",
    "lstm",
    "lstm_cell",
    "rnn",
    "rnn_cell",
    "rotary",
    "scaled_dot_product_attention",
    "sinusoidal_positions",
    # activations
    "ELU",
    "GELU",
    "Identity",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "PReLU",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "activation_named",
    "elu",
    "erf",
    "gelu",
    "identity",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "prelu",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
    # losses and figures
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "HuberLoss",
    "L1Loss",
    "MSELoss",
    "accuracy",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "confusion_matrix",
    "cross_entropy",
    "huber",
    "l1",
    "l2_penalty",
    "mse",
    # training
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSprop",
    "SGD",
    "clip_grad_norm",
    "clip_grad_value",
    "initializers",
    # data
    "DataLoader",
    "Digits",
    "Examples",
    "FeatureStatistics",
    "feature_statistics",
    "load_digits",
    "standardize",
    "train_test_split",
]
