"""Everything to build and train a network: functions first, then the layers that own parameters.

A function is an op: it takes arrays of any library or Tensors, and op.backward is its derivative.
A layer is a Module: it owns Parameters and calls the function of its name.

What stands below `if TYPE_CHECKING` is imported when it is first used.
"""

# ruff: noqa: I001  # in the order in which a person meets them

from typing import TYPE_CHECKING

from ..backend.later import later

from .module import Module
from .parameter import Parameter
from .sequential import Sequential
from .summary import summary
from .linear import Linear, linear
from .flatten import Flatten, Unflatten, flatten, unflatten
from .dropout import Dropout, dropout
from .embedding import Embedding, embedding
from .bilinear import Bilinear, bilinear
from .softmax import LogSoftmax, Softmax, log_softmax, softmax
from .cross_entropy import cross_entropy
from .focal import focal, smooth_l1

if TYPE_CHECKING:
    # -- layers
    from .dropout_variants import (
        AlphaDropout, Dropout1d, Dropout2d, Dropout3d, FeatureAlphaDropout,
        alpha_dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout,
    )
    from .embedding_bags import EmbeddingBag, embedding_bag
    from .containers import ModuleDict, ModuleList
    from .residual import Residual

    # -- sequences
    from .recurrent import (
        GRU, GRUCell, LSTM, LSTMCell, RNN, RNNCell,
        gru, gru_cell, lstm, lstm_cell, rnn, rnn_cell,
    )
    from .attention import (
        MultiheadAttention, Rotary, SinusoidalPositions, Transformer, TransformerDecoder,
        TransformerDecoderLayer, TransformerEncoder, TransformerEncoderLayer,
        rotary, scaled_dot_product_attention, sinusoidal_positions,
    )

    # -- convolution, pooling, normalization, resampling
    from .convolution import (
        Conv1d, Conv2d, Conv3d,
        ConvTranspose1d, ConvTranspose2d, ConvTranspose3d,
        conv1d, conv2d, conv3d,
        conv_transpose1d, conv_transpose2d, conv_transpose3d,
        Fold, Unfold, fold, unfold,
    )
    from .pooling import (
        AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d,
        AdaptiveMaxPool1d, AdaptiveMaxPool2d, AdaptiveMaxPool3d,
        AvgPool1d, AvgPool2d, AvgPool3d,
        GlobalAvgPool, GlobalMaxPool,
        LPPool1d, LPPool2d, LPPool3d,
        MaxPool1d, MaxPool2d, MaxPool3d, MaxUnpool1d, MaxUnpool2d, MaxUnpool3d,
        adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d,
        adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d,
        avg_pool1d, avg_pool2d, avg_pool3d,
        global_avg_pool, global_max_pool,
        lp_pool1d, lp_pool2d, lp_pool3d,
        max_pool1d, max_pool2d, max_pool3d, max_unpool1d, max_unpool2d, max_unpool3d,
    )
    from .normalization import (
        BatchNorm1d, BatchNorm2d, BatchNorm3d,
        GroupNorm, InstanceNorm1d, InstanceNorm2d, InstanceNorm3d,
        LayerNorm, RMSNorm, batch_norm, group_norm, instance_norm, layer_norm, rms_norm,
        LocalResponseNorm, local_response_norm,
    )
    from .padding import (
        CircularPad1d, CircularPad2d, CircularPad3d,
        ConstantPad1d, ConstantPad2d, ConstantPad3d,
        ReflectionPad1d, ReflectionPad2d, ReflectionPad3d,
        ReplicationPad1d, ReplicationPad2d, ReplicationPad3d,
        ZeroPad1d, ZeroPad2d, ZeroPad3d,
        pad,
    )
    from .resampling import (
        PixelShuffle, PixelUnshuffle, Upsample, interpolate, pixel_shuffle, pixel_unshuffle,
        ChannelShuffle, channel_shuffle,
    )

    # -- activations
    from .activation import (
        activation_named, elu, gelu, identity, leaky_relu, log_sigmoid, prelu, relu, sigmoid, silu,
        softplus, tanh,
    )
    from .activation_layers import (
        ELU, GELU, Identity, LeakyReLU, LogSigmoid, PReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh,
    )
    from .hard_activation import (
        Hardshrink, Hardsigmoid, Hardswish, Hardtanh, ReLU6, Softshrink, Threshold,
        hardshrink, hardsigmoid, hardswish, hardtanh, relu6, softshrink, threshold,
    )
    from .smooth_activation import (
        CELU, SELU, Mish, Softmax2d, Softmin, Softsign, Tanhshrink,
        celu, mish, selu, softmin, softsign, tanhshrink,
    )
    from .gated_activation import GLU, RReLU, glu, rrelu
    from .special import erf

    # -- losses, and figures without a derivative
    from .losses import binary_cross_entropy, binary_cross_entropy_with_logits, huber, l1, mse
    from .divergences import gaussian_nll, kl_div, nll, poisson_nll
    from .margins import (
        cosine_embedding, hinge_embedding, margin_ranking, soft_margin, triplet_margin,
        triplet_margin_with_distance,
    )
    from .class_margins import multi_margin, multilabel_margin, multilabel_soft_margin
    from .ctc import CTCLoss, ctc_loss
    from .loss_layers import (
        BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, HuberLoss, L1Loss, MSELoss,
    )
    from .loss_layers_likelihoods import (
        FocalLoss, GaussianNLLLoss, KLDivLoss, NLLLoss, PoissonNLLLoss, SmoothL1Loss,
    )
    from .loss_layers_margins import (
        CosineEmbeddingLoss, HingeEmbeddingLoss, MarginRankingLoss, MultiLabelMarginLoss,
        MultiLabelSoftMarginLoss, MultiMarginLoss, SoftMarginLoss, TripletMarginLoss,
        TripletMarginWithDistanceLoss,
    )
    from .metrics import accuracy, confusion_matrix
    from .regularization import l1_penalty, l2_penalty
    from .similarity import (
        CosineSimilarity, PairwiseDistance, cosine_similarity, normalize, pairwise_distance,
    )

    # -- training
    from . import initializers
    from .optimizers import (
        LBFGS, SGD, AMSGrad, Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Lion, Muon, NAdam,
        Optimizer, RAdam, RMSprop, Rprop, clip_grad_norm, clip_grad_value,
    )
    from . import schedules
    from .averaging import ExponentialMovingAverage
    from .early_stopping import EarlyStopping

    # -- data
    from .data import DataLoader, train_test_split
    from .datasets import Digits, Examples, load_digits
    from .preprocessing import FeatureStatistics, feature_statistics, standardize

__getattr__ = later(__name__)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


__all__ = [
    # putting layers together
    "Module", "ModuleDict", "ModuleList", "Parameter", "Residual", "Sequential", "summary",
    # layers
    "Bilinear", "Embedding", "EmbeddingBag", "Flatten", "Linear", "Unflatten",
    "bilinear", "embedding", "embedding_bag", "flatten", "linear", "unflatten",
    "AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout",
    "alpha_dropout", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout",
    # sequences
    "GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "RNNCell",
    "gru", "gru_cell", "lstm", "lstm_cell", "rnn", "rnn_cell",
    "MultiheadAttention", "Rotary", "SinusoidalPositions", "Transformer", "TransformerDecoder",
    "TransformerDecoderLayer", "TransformerEncoder", "TransformerEncoderLayer",
    "rotary", "scaled_dot_product_attention", "sinusoidal_positions",
    # convolution, pooling, normalization, resampling
    "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d",
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    "Fold", "Unfold", "fold", "unfold",
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d",
    "AvgPool1d", "AvgPool2d", "AvgPool3d", "GlobalAvgPool", "GlobalMaxPool",
    "LPPool1d", "LPPool2d", "LPPool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d",
    "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d",
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d",
    "adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d",
    "avg_pool1d", "avg_pool2d", "avg_pool3d", "global_avg_pool", "global_max_pool",
    "lp_pool1d", "lp_pool2d", "lp_pool3d", "max_pool1d", "max_pool2d", "max_pool3d",
    "max_unpool1d", "max_unpool2d", "max_unpool3d",
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d",
    "InstanceNorm3d", "LayerNorm", "LocalResponseNorm", "RMSNorm",
    "batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "rms_norm",
    "CircularPad1d", "CircularPad2d", "CircularPad3d",
    "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d",
    "ReplicationPad1d", "ReplicationPad2d", "ReplicationPad3d",
    "ZeroPad1d", "ZeroPad2d", "ZeroPad3d", "pad",
    "ChannelShuffle", "PixelShuffle", "PixelUnshuffle", "Upsample",
    "channel_shuffle", "interpolate", "pixel_shuffle", "pixel_unshuffle",
    # activations
    "CELU", "ELU", "GELU", "GLU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "Identity",
    "LeakyReLU", "LogSigmoid", "LogSoftmax", "Mish", "PReLU", "RReLU", "ReLU", "ReLU6", "SELU",
    "SiLU", "Sigmoid", "Softmax", "Softmax2d", "Softmin", "Softplus", "Softshrink", "Softsign",
    "Tanh", "Tanhshrink", "Threshold",
    "activation_named", "celu", "elu", "erf", "gelu", "glu", "hardshrink", "hardsigmoid",
    "hardswish", "hardtanh", "identity", "leaky_relu", "log_sigmoid", "log_softmax", "mish",
    "prelu", "relu", "relu6", "rrelu", "selu", "sigmoid", "silu", "softmax", "softmin", "softplus",
    "softshrink", "softsign", "tanh", "tanhshrink", "threshold",
    # losses, and figures without a derivative
    "BCELoss", "BCEWithLogitsLoss", "CTCLoss", "CosineEmbeddingLoss", "CrossEntropyLoss",
    "FocalLoss", "GaussianNLLLoss", "HingeEmbeddingLoss", "HuberLoss", "KLDivLoss", "L1Loss",
    "MSELoss", "MarginRankingLoss", "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss",
    "MultiMarginLoss", "NLLLoss", "PoissonNLLLoss", "SmoothL1Loss", "SoftMarginLoss",
    "TripletMarginLoss", "TripletMarginWithDistanceLoss",
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_embedding",
    "cross_entropy", "ctc_loss", "focal", "gaussian_nll", "hinge_embedding", "huber", "kl_div",
    "l1", "margin_ranking", "mse", "multi_margin", "multilabel_margin", "multilabel_soft_margin",
    "nll", "poisson_nll", "smooth_l1", "soft_margin", "triplet_margin",
    "triplet_margin_with_distance",
    "l1_penalty", "l2_penalty",
    "CosineSimilarity", "PairwiseDistance", "cosine_similarity", "normalize", "pairwise_distance",
    "accuracy", "confusion_matrix",
    # training
    "initializers", "schedules",
    "AMSGrad", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "LBFGS", "Lion",
    "Muon", "NAdam", "Optimizer", "RAdam", "RMSprop", "Rprop", "SGD",
    "EarlyStopping", "ExponentialMovingAverage", "clip_grad_norm", "clip_grad_value",
    # data
    "DataLoader", "Digits", "Examples", "FeatureStatistics",
    "feature_statistics", "load_digits", "standardize", "train_test_split",
]
