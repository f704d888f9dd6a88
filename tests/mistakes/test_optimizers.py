"""Mistakes with optimizers and schedules, and whether the fixes printed for them work."""

from tests.mistakes.mistake import Mistake, fixes_are_tried, fixes_work

O = "keras.optimizers."
S = "keras.optimizers.schedules."
MODEL = "m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]); v = m.trainable_variables; o = keras.optimizers.SGD(); "
BUILT = MODEL + "o.build(v); g = [np.zeros(w.shape, 'float32') for w in v]; "
MAP = "map = keras.optimizers.MultiOptimizer; M = keras.optimizers.OptimizerMap(keras.optimizers.SGD()); A = keras.optimizers.Adam(); "

MISTAKES = [
    Mistake(O + "Adam(learning_rate='fast')", O + "Adam(learning_rate=0.001)", says="learning_rate=0.001"),
    Mistake(O + "Adam('0.1')", O + "Adam(0.1)", says="Adam(0.1)"),
    Mistake(O + "SGD(momentum=2)", O + "SGD(momentum=0.9)", says="momentum=0.9"),
    Mistake(O + "SGD(0.1, learning_rate=1)", O + "SGD(0.1)", says="SGD(0.1)"),
    Mistake(O + "Adam(betas=(0.8, 0.9))", O + "Adam(beta_1=0.8, beta_2=0.9)", says="Adam(beta_1=0.8, beta_2=0.9)"),
    Mistake(O + "Adam(clipnorm=1, clipvalue=2)", O + "Adam(clipnorm=1)", says="clipnorm=1"),
    Mistake(O + "Adam(clipnorm=-1)", O + "Adam(clipnorm=1.0)", says="clipnorm=1.0"),
    Mistake(O + "Adam(use_ema=True, ema_momentum=2)", O + "Adam(use_ema=True, ema_momentum=0.99)", says="ema_momentum=0.99"),
    Mistake(O + "SGD(gradient_accumulation_steps=1)", O + "SGD(gradient_accumulation_steps=2)", says="gradient_accumulation_steps=2"),
    Mistake(O + "AdamW(weight_decay=None)", O + "Adam()", says="Adam", prose=True),
    Mistake(O + "Lion(beta_1=0)", O + "RMSprop()", says="RMSprop"),
    Mistake(O + "Ftrl(learning_rate_power=1)", O + "Ftrl(learning_rate_power=-0.5)", says="learning_rate_power=-0.5"),
    Mistake(O + "Ftrl(l1_regularization_strength=-1)", O + "Ftrl(l1_regularization_strength=0.0)", says="l1_regularization_strength=0.0"),
    Mistake(O + "get(3)", MODEL + "m.compile(optimizer='adam'.replace(\"'\", ''))", says="adam", prose=True),
    Mistake(O + "LossScaleOptimizer('adam')", O + "LossScaleOptimizer(keras.optimizers.Adam())", says="LossScaleOptimizer(keras.optimizers.Adam())"),
    Mistake(O + "LossScaleOptimizer(keras.optimizers.Adam(), dynamic=False)", O + "LossScaleOptimizer(keras.optimizers.Adam())", says="Leave dynamic out", prose=True),
    Mistake(O + "LossScaleOptimizer(keras.optimizers.Adam(), clipnorm=1.0)", O + "LossScaleOptimizer(keras.optimizers.Adam(clipnorm=1.0))", says="inner optimizer", prose=True),
    Mistake(O + "LossScaleOptimizer(keras.optimizers.Adam(), initial_scle=4.0)", O + "LossScaleOptimizer(keras.optimizers.Adam(), initial_scale=4.0)", says="initial_scale=4.0", prose=True),
    Mistake(O + "OptaxOptimizer(3)", "import optax; keras.optimizers.OptaxOptimizer(optax.adam(0.001))", says="OptaxOptimizer(optax.adam(0.001))"),
    Mistake("import optax; keras.optimizers.OptaxOptimizer(optax.adam(0.001)).get_config()", None, says="Save the weights", because="A program that loads a model."),
    Mistake(MAP + "M['a'] = 'adam'", MAP + "M['a'] = keras.optimizers.Adam()", says="keras.optimizers.Adam()"),
    Mistake(MAP + "M['a'] = A; M['a'] = A", MAP + "key = 'a'; optimizer_map = M; M['a'] = A; del optimizer_map[key]; M['a'] = A", says="del optimizer_map[key]"),
    Mistake(MAP + "M['a.*'] = A; M['.*b'] = A; M['ab']", MAP + "M['a.*'] = A; M['ab']", says="one of them", prose=True),
    Mistake(BUILT + "o.set_weights([1])", BUILT + "optimizer = o; optimizer.set_weights([v.numpy() for v in optimizer.variables])", says="optimizer.set_weights([v.numpy() for v in optimizer.variables])"),
    Mistake(BUILT + "o.stateless_apply([1], g, v)", BUILT + "optimizer, gradients, model = o, g, m; optimizer.stateless_apply(optimizer.variables, gradients, model.trainable_variables)", says="optimizer.stateless_apply(optimizer.variables, gradients, model.trainable_variables)"),
    Mistake(MODEL + "o.stateless_apply([], [], [])", BUILT + "o.stateless_apply(o.variables, g, v)", says="optimizer.build(variables)", prose=True),
    Mistake(BUILT + "o.apply(g[:1])", BUILT + "o.apply(g, v)", says="optimizer.apply(gradients, variables)", prose=True),
    Mistake(BUILT + "o.apply([None, None], v)", BUILT + "o.apply(g, v)", says="depend on the trainable variables", prose=True),
    Mistake(BUILT + "o.exclude_from_weight_decay(v)", MODEL + "o.exclude_from_weight_decay(v); o.build(v)", says="before build()", prose=True),
    Mistake("class Mine(keras.optimizers.Muon): pass\nimport lamina.optimizers.muon as u\nu.__dict__\no = Mine(); o._newton_schulz(np.ones(3), 1) if hasattr(o, '_newton_schulz') else u.orthogonal(np.ones(3))" if False else O + "Muon().zeropower_via_newtonschulz5(np.ones(3), 1)", O + "Muon(exclude_layers=['dense'])", says="exclude_layers", prose=True),
    Mistake(S + "ExponentialDecay(0.1, 0, 0.5)", S + "ExponentialDecay(0.1, decay_steps=1000, decay_rate=0.5)", says="decay_steps=1000"),
    Mistake(S + "PiecewiseConstantDecay([1], [1.0])", S + "PiecewiseConstantDecay(boundaries=[100], values=[0.1, 0.01])", says="PiecewiseConstantDecay(boundaries=[100], values=[0.1, 0.01])"),
    Mistake(S + "OneCycle(-1, 10)", S + "OneCycle(0.01, total_steps=1000)", says="OneCycle(0.01, total_steps=1000)"),
    Mistake(S + "OneCycle(0.1, 10, warmup_fraction=2)", S + "OneCycle(0.1, 10, warmup_fraction=0.25)", says="warmup_fraction=0.25"),
]  # fmt: skip

test_fixes_work = fixes_work(MISTAKES)
test_fixes_are_tried = fixes_are_tried("lamina/optimizers", MISTAKES)
