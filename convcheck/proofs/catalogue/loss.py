"""The losses, for every finite set of classes and every finite support.

p and q are positive on the set over which is summed. A p that vanishes somewhere is covered by
summing over its support: 0 log 0 counts as 0, and q > 0 there says p << q.
"""

from __future__ import annotations

from convcheck.proofs.theorem import Sibling, Theorem, chain, step

PQ = {"p": "X->K>0", "q": "X->K>0"}
SCORES = {"z": "C->K"}
KL, CROSS = "S(x,X,p(x)*log(p(x)/q(x)))", "-S(x,X,p(x)*log(q(x)))"
ENTROPY = "-S(x,X,p(x)*log(p(x)))"
LSE = "log(S(k,C,exp(z(k))))"
NLL = "-S(i,C,y(i)*log(exp(z(i))/S(k,C,exp(z(k)))))"

THEOREMS = (
    Theorem(
        name="kl_is_cross_entropy_minus_entropy",
        title="KL(p, q) = H(p, q) - H(p)",
        topic="loss",
        says="For every finite support on which p and q are positive.",
        variables=PQ,
        statement=f"{KL} = ({CROSS}) - ({ENTROPY})",
        proof=chain(
            step(
                "ring", "= S(x,X,p(x)*(log(p(x)) - log(q(x))))",
                "the logarithm of a quotient of positive numbers",
            ),
            step("ring", "= S(x,X,p(x)*log(p(x)) - p(x)*log(q(x)))", "multiplied out"),
            step(
                "split", "= S(x,X,p(x)*log(p(x))) - S(x,X,p(x)*log(q(x)))", "a finite sum", x=""
            ),
            step("ring", f"= ({CROSS}) - ({ENTROPY})", "H(p, q) less H(p), as defined"),
        ),
        siblings=(
            Sibling(statement=f"{KL} = ({CROSS}) + ({ENTROPY})", says="the entropy is added"),
            Sibling(statement=f"{KL} = ({ENTROPY}) - ({CROSS})", says="the sign is turned"),
            Sibling(statement=f"{KL} = S(x,X,q(x)*log(q(x)/p(x)))", says="KL is symmetric"),
        ),
        source="notes, KL divergence",
    ),
    Theorem(
        name="cross_entropy_and_kl_have_the_same_minimiser",
        title="Cross-entropy and KL differ by the same amount between any two candidates",
        topic="loss",
        says="H(p,q) - H(p,r) = KL(p,q) - KL(p,r): for fixed p they order all candidates alike, "
        "so one q minimises both. That p is the true distribution plays no part.",
        variables={**PQ, "r": "X->K>0"},
        statement=f"({CROSS}) - (-S(x,X,p(x)*log(r(x)))) = "
        f"{KL} - S(x,X,p(x)*log(p(x)/r(x)))",
        proof=chain(
            step("ring", "= S(x,X,p(x)*log(r(x)) - p(x)*log(q(x)))", "one sum"),
            step(
                "ring",
                "= S(x,X,p(x)*(log(p(x)) - log(q(x))) - p(x)*(log(p(x)) - log(r(x))))",
                "log p is added and taken away: it does not depend on the candidate",
            ),
            step("ring", f"= {KL} - S(x,X,p(x)*log(p(x)/r(x)))", "logarithms of quotients"),
        ),
        siblings=(
            Sibling(
                statement=f"({CROSS}) - (-S(x,X,r(x)*log(q(x)))) = "
                f"{KL} - S(x,X,r(x)*log(r(x)/q(x)))",
                says="minimised over p instead, where the entropy changes too",
            ),
        ),
        source="notes, KL divergence",
    ),
    Theorem(
        name="log_likelihood_is_minus_m_cross_entropy",
        title="The log-likelihood is -m times the mean cross-entropy",
        topic="loss",
        says="Maximising the one is minimising the other; y is one-hot, q the predicted "
        "probabilities, the samples independent.",
        variables={"q": "I,C->K>0", "y": "I,C->K", "m": "K>0"},
        statement="S(i,I,S(l,C,y(i,l)*log(q(i,l)))) = "
        "-m*(S(i,I,-S(l,C,y(i,l)*log(q(i,l))))/m)",
        proof=chain(
            step(
                "ring", "= -S(i,I,-S(l,C,y(i,l)*log(q(i,l))))", "two minus signs"
            ),
            step(
                "ring", "= -m*(S(i,I,-S(l,C,y(i,l)*log(q(i,l))))/m)", "m > 0 samples"
            ),
        ),
        siblings=(
            Sibling(
                statement="S(i,I,S(l,C,y(i,l)*log(q(i,l)))) = "
                "m*(S(i,I,-S(l,C,y(i,l)*log(q(i,l))))/m)",
                says="the sign is lost",
            ),
        ),
        source="notes, cross-entropy",
    ),
    Theorem(
        name="likelihood_with_the_indicator_as_exponent",
        title="The indicator must be an exponent",
        topic="loss",
        says="The product over classes of q(l)^[y=l], as exp of the sum of [y=l] log q(l), is "
        "q(y). With the indicator as a factor the product would be 0 for two classes or more.",
        variables={"q": "C->K>0", "y": "C"},
        statement="exp(S(l,C,delta(l,y)*log(q(l)))) = q(y)",
        proof=chain(
            step("sift", "= exp(log(q(y)))", "only the class l = y contributes", l="y"),
            step("ring", "= q(y)", "exp undoes log"),
        ),
        siblings=(
            Sibling(
                statement="exp(S(l,C,log(q(l)))) = q(y)", says="the indicator is left out"
            ),
        ),
        source="notes, log-likelihood of softmax",
    ),
    Theorem(
        name="one_hot_cross_entropy",
        title="With a one-hot target, cross-entropy is one negative logarithm",
        topic="loss",
        says="-sum over l of [l = y] log q(l) = -log q(y).",
        variables={"q": "C->K>0", "y": "C"},
        statement="-S(l,C,delta(l,y)*log(q(l))) = -log(q(y))",
        proof=chain(step("sift", "= -log(q(y))", "only the class l = y contributes", l="y")),
        siblings=(
            Sibling(
                statement="-S(l,C,delta(l,y)*log(q(l))) = -S(l,C,log(q(l)))",
                says="every class counts",
            ),
        ),
        source="torch.nn.NLLLoss",
    ),
    Theorem(
        name="gibbs_inequality",
        title="KL(p, q) >= 0",
        topic="loss",
        says="Gibbs' inequality: p sums to 1 over its support, q to 1 at most there.",
        variables=PQ,
        hypotheses=("S(x,X,p(x)) = 1", "S(x,X,q(x)) = 1"),
        statement=f"0 <= {KL}",
        proof=chain(
            step(
                "increase", "<= S(x,X,p(x)*gap(q(x)/p(x)))", "log a <= a - 1, weighted by p > 0",
                by="S(x,X,p(x)*gap(q(x)/p(x)))",
            ),
            step("ring", f"= S(x,X,q(x)) - S(x,X,p(x)) + {KL}", "multiplied out"),
            step("given", f"= 1 - S(x,X,p(x)) + {KL}", "q sums to 1", hypothesis="S(x,X,q(x)) = 1"),
            step("given", f"= 1 - 1 + {KL}", "p sums to 1", hypothesis="S(x,X,p(x)) = 1"),
            step("ring", f"= {KL}", "arithmetic"),
        ),
        siblings=(Sibling(statement=f"{KL} <= 0", says="the wrong way"),),
        source="Cover and Thomas, Elements of Information Theory, 2.6.3",
    ),
    Theorem(
        name="cross_entropy_is_at_least_the_entropy",
        title="H(p, q) >= H(p)",
        topic="loss",
        says="No prediction has a lower cross-entropy than the distribution itself.",
        variables=PQ,
        hypotheses=("S(x,X,p(x)) = 1", "S(x,X,q(x)) = 1"),
        statement=f"{ENTROPY} <= {CROSS}",
        proof=chain(
            step(
                "increase", f"<= {ENTROPY} + S(x,X,p(x)*gap(q(x)/p(x)))",
                "log a <= a - 1, weighted by p > 0", by="S(x,X,p(x)*gap(q(x)/p(x)))",
            ),
            step(
                "ring", "= S(x,X,q(x)) - S(x,X,p(x)) - S(x,X,p(x)*log(q(x)))", "multiplied out"
            ),
            step(
                "given", "= 1 - S(x,X,p(x)) - S(x,X,p(x)*log(q(x)))", "q sums to 1",
                hypothesis="S(x,X,q(x)) = 1",
            ),
            step(
                "given", "= 1 - 1 - S(x,X,p(x)*log(q(x)))", "p sums to 1",
                hypothesis="S(x,X,p(x)) = 1",
            ),
            step("ring", f"= {CROSS}", "arithmetic"),
        ),
        siblings=(Sibling(statement=f"{CROSS} <= {ENTROPY}", says="the wrong way"),),
        source="Cover and Thomas, Elements of Information Theory, 2.6.3",
    ),
    Theorem(
        name="log_softmax_form",
        title="The log of a softmax is the score less log-sum-exp",
        topic="loss",
        says="What CrossEntropyLoss computes instead of a softmax and a logarithm.",
        variables={**SCORES, "i": "C"},
        statement=f"log(exp(z(i))/S(k,C,exp(z(k)))) = z(i) - {LSE}",
        proof=chain(
            step("ring", f"= log(exp(z(i))) - {LSE}", "the logarithm of a quotient"),
            step("ring", f"= z(i) - {LSE}", "log undoes exp"),
        ),
        siblings=(
            Sibling(
                statement="log(exp(z(i))/S(k,C,exp(z(k)))) = z(i) - S(k,C,z(k))",
                says="log-sum-exp is taken for the sum",
            ),
        ),
        source="notes, loss layer; torch.nn.CrossEntropyLoss",
    ),
    Theorem(
        name="cross_entropy_of_logits",
        title="Cross-entropy of logits is log-sum-exp less the score of the target",
        topic="loss",
        says="-log softmax(z)(y) = logsumexp(z) - z(y).",
        variables={**SCORES, "y": "C"},
        statement=f"-S(i,C,delta(i,y)*log(exp(z(i))/S(k,C,exp(z(k))))) = {LSE} - z(y)",
        proof=chain(
            step(
                "sift", "= -log(exp(z(y))/S(k,C,exp(z(k))))", "only the target contributes", i="y"
            ),
            step("ring", f"= {LSE} - z(y)", "the logarithm of a quotient"),
        ),
        siblings=(
            Sibling(
                statement=f"-S(i,C,delta(i,y)*log(exp(z(i))/S(k,C,exp(z(k))))) = z(y) - {LSE}",
                says="the sign is lost",
            ),
        ),
        source="torch.nn.CrossEntropyLoss",
    ),
    Theorem(
        name="softmax_does_not_see_a_shift",
        title="Softmax does not see a shift of all scores",
        topic="loss",
        says="softmax(z + c) = softmax(z): the maximum may be subtracted first.",
        variables={**SCORES, "c": "K", "i": "C"},
        statement="exp(z(i)+c)/S(k,C,exp(z(k)+c)) = exp(z(i))/S(k,C,exp(z(k)))",
        proof=chain(
            step(
                "ring", "= exp(z(i))*exp(c)/(exp(c)*S(k,C,exp(z(k))))",
                "exp(c) does not depend on k",
            ),
            step("ring", "= exp(z(i))/S(k,C,exp(z(k)))", "exp(c) is not 0"),
        ),
        siblings=(
            Sibling(
                statement="exp(c*z(i))/S(k,C,exp(c*z(k))) = exp(z(i))/S(k,C,exp(z(k)))",
                says="a shift is taken for a scale",
            ),
        ),
        source="Goodfellow et al., Deep Learning, 4.1",
    ),
    Theorem(
        name="log_sum_exp_of_shifted_scores",
        title="Log-sum-exp moves with its scores",
        topic="loss",
        says="logsumexp(z + c) = logsumexp(z) + c.",
        variables={**SCORES, "c": "K"},
        statement=f"log(S(k,C,exp(z(k)+c))) = {LSE} + c",
        proof=chain(
            step("ring", "= log(exp(c)*S(k,C,exp(z(k))))", "exp(c) does not depend on k"),
            step("ring", f"= {LSE} + c", "the logarithm of a product"),
        ),
        siblings=(Sibling(statement=f"log(S(k,C,exp(z(k)+c))) = {LSE}", says="c is lost"),),
        source="Goodfellow et al., Deep Learning, 4.1",
    ),
    Theorem(
        name="softmax_sums_to_one",
        title="Softmax sums to 1",
        topic="loss",
        says="It is a probability distribution.",
        variables=SCORES,
        statement="S(i,C,exp(z(i))/S(k,C,exp(z(k)))) = 1",
        proof=chain(
            step(
                "ring", "= S(i,C,exp(z(i)))/S(k,C,exp(z(k)))", "the divisor does not depend on i"
            ),
            step("ring", "= 1", "i renamed to k; a positive number over itself"),
        ),
        siblings=(
            Sibling(
                statement="S(i,C,exp(z(i))/(1+S(k,C,exp(z(k))))) = 1", says="a 1 in the divisor"
            ),
        ),
        source="Goodfellow et al., Deep Learning, 6.2",
    ),
    Theorem(
        name="gradient_of_cross_entropy_is_softmax_minus_target",
        title="The gradient of cross-entropy is softmax less target",
        topic="loss",
        says="For targets that sum to 1, one-hot or not.",
        variables={**SCORES, "y": "C->K", "j": "C"},
        hypotheses=("S(i,C,y(i)) = 1",),
        statement=f"diff({NLL}, z(j)) = exp(z(j))/S(k,C,exp(z(k))) - y(j)",
        proof=chain(
            step(
                "ring", f"= diff(S(i,C,y(i))*{LSE} - S(i,C,y(i)*z(i)), z(j))",
                "the logarithm of a quotient",
            ),
            step(
                "differentiate",
                "= S(i,C,y(i))*(S(m,C,exp(z(m))*delta(m,j))/S(k,C,exp(z(k)))) "
                "- S(l,C,y(l)*delta(l,j))",
                "chain rule, finite sums",
            ),
            step(
                "sift",
                "= S(i,C,y(i))*(exp(z(j))/S(k,C,exp(z(k)))) - S(l,C,y(l)*delta(l,j))",
                "only m = j contributes", m="j",
            ),
            step(
                "sift", "= S(i,C,y(i))*(exp(z(j))/S(k,C,exp(z(k)))) - y(j)",
                "only l = j contributes", l="j",
            ),
            step(
                "given", "= 1*(exp(z(j))/S(k,C,exp(z(k)))) - y(j)", "the target sums to 1",
                hypothesis="S(i,C,y(i)) = 1",
            ),
            step("ring", "= exp(z(j))/S(k,C,exp(z(k))) - y(j)", "arithmetic"),
        ),
        siblings=(
            Sibling(
                statement=f"diff({NLL}, z(j)) = y(j) - exp(z(j))/S(k,C,exp(z(k)))",
                says="the sign is lost",
            ),
        ),
        source="Goodfellow et al., Deep Learning, 6.2.2",
    ),
    Theorem(
        name="gradient_of_log_sum_exp_is_softmax",
        title="The gradient of log-sum-exp is softmax",
        topic="loss",
        says="d logsumexp(z) / dz(j) = softmax(z)(j).",
        variables={**SCORES, "j": "C"},
        statement=f"diff({LSE}, z(j)) = exp(z(j))/S(k,C,exp(z(k)))",
        proof=chain(
            step(
                "differentiate", "= S(m,C,exp(z(m))*delta(m,j))/S(k,C,exp(z(k)))", "chain rule"
            ),
            step("sift", "= exp(z(j))/S(k,C,exp(z(k)))", "only m = j contributes", m="j"),
        ),
        siblings=(Sibling(statement=f"diff({LSE}, z(j)) = exp(z(j))", says="not normalised"),),
        source="Boyd and Vandenberghe, Convex Optimization, 3.1.5",
    ),
    Theorem(
        name="kl_of_products_adds",
        title="KL of independent pairs is the sum of the KLs",
        topic="loss",
        says="The chain rule for independent pairs: each p sums to 1.",
        variables={**PQ, "a": "Y->K>0", "b": "Y->K>0"},
        hypotheses=("S(x,X,p(x)) = 1", "S(y,Y,a(y)) = 1"),
        statement="S(x,X,S(y,Y,p(x)*a(y)*log(p(x)*a(y)/(q(x)*b(y))))) = "
        f"{KL} + S(y,Y,a(y)*log(a(y)/b(y)))",
        proof=chain(
            step(
                "ring",
                f"= S(y,Y,a(y))*{KL} + S(x,X,p(x))*S(y,Y,a(y)*log(a(y)/b(y)))",
                "the logarithm of a quotient of products",
            ),
            step(
                "given", f"= 1*{KL} + S(x,X,p(x))*S(y,Y,a(y)*log(a(y)/b(y)))", "a sums to 1",
                hypothesis="S(y,Y,a(y)) = 1",
            ),
            step(
                "given", f"= 1*{KL} + 1*S(y,Y,a(y)*log(a(y)/b(y)))", "p sums to 1",
                hypothesis="S(x,X,p(x)) = 1",
            ),
        ),
        siblings=(
            Sibling(
                statement="S(x,X,S(y,Y,p(x)*a(y)*log(p(x)*a(y)/(q(x)*b(y))))) = "
                f"{KL} * S(y,Y,a(y)*log(a(y)/b(y)))",
                says="multiplied",
            ),
        ),
        source="Cover and Thomas, Elements of Information Theory, 2.5.3",
    ),
)  # fmt: skip
